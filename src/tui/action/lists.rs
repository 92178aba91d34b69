//! Actions on the list and on sessions.

use crate::tui::action::actions;
use crate::tui::app::App;
use crate::tui::tiles::Way;

actions! {
    /// See the module.
    ACTIONS:
    "next-row" "down" "Selects the next session." |app| app.step(1) => { List: "j" "Down"; }
    "previous-row" "up" "Selects the session above." |app| app.step(-1) => { List: "k" "Up"; }
    "first-row" "first" "Selects the first session." |app| app.select_at(0) => { List: "Home" "g g"; }
    "last-row" "last" "Selects the last session." App::select_last => { List: "G" "End"; }
    "next-page" "page down" "Selects the session a screen further down." |app| app.page(1) => { List: "C-f" "PageDown"; }
    "previous-page" "page up" "Selects the session a screen further up." |app| app.page(-1) => { List: "C-u" "PageUp"; }
    "type" "type" "Gives the keyboard to the session; it gets the pane's size." |app| app.take(false) => {
        List 1: "Enter"; View 1: "Enter" "i" "Prefix Enter";
    }
    "look" "look" "Goes to the panes without typing into them." App::look => { List: "l" "Right" "Tab"; }
    "new" "new" "Asks what to start: command, name, directory, kind, tags." App::open_form => { List 2: "n"; View: "n"; }
    "rename" "rename" "Gives the session another name." App::ask_name => { List: "e" ","; View: "Prefix ,"; Typing: "Prefix ,"; }
    "tag" "tags" "Gives the session other tags." App::ask_tags => { List: "#"; View: "Prefix #"; Typing: "Prefix #"; }
    "duplicate" "duplicate" "Starts the same command in the same directory a second time." App::duplicate => { List: "D"; }
    "restart" "restart" "Restarts services at once; starts a session anew, under its name, and asks before it ends one that runs." App::restart_chosen => { List: "r"; View: "r"; Typing: "Prefix R"; }
    "send-line" "send" "Types a line into the chosen sessions, without taking the keyboard." |app| app.ask_to_send(false) => { List: "s l"; }
    "send-keys" "send keys" "Presses keys in the chosen sessions: C-c Enter Up F5 'text'." |app| app.ask_to_send(true) => { List: "s k"; }
    "grid" "grid" "Shows all listed sessions as live thumbnails." App::open_grid => { List: "v"; View: "v"; Typing: "Prefix v"; }
    "grid-left" "left" "Goes to the thumbnail on the left." |app| app.step_grid(Way::Left) => { Grid: "h" "Left"; }
    "grid-down" "down" "Goes to the thumbnail below." |app| app.step_grid(Way::Down) => { Grid: "j" "Down"; }
    "grid-up" "up" "Goes to the thumbnail above." |app| app.step_grid(Way::Up) => { Grid: "k" "Up"; }
    "grid-right" "right" "Goes to the thumbnail on the right." |app| app.step_grid(Way::Right) => { Grid: "l" "Right" "Tab"; }
    "grid-open" "type" "Gives the keyboard to the session." App::open_from_grid => { Grid 1: "Enter"; }
    "grid-leave" "list" "Goes back to the list." App::leave_grid => { Grid 2: "Esc" "v" "q" "C-c" "Prefix s" "Prefix w"; }
    "next-alert" "next alert" "Goes to the next session that wants attention." |app| app.next_alert(false) => { List: "M-n" "Prefix M-n"; View: "M-n" "Prefix M-n"; Typing: "Prefix M-n"; }
    "previous-alert" "alert before" "Goes to the session before that wants attention." |app| app.next_alert(true) => { List: "M-p" "Prefix M-p"; View: "M-p" "Prefix M-p"; Typing: "Prefix M-p"; }
    "watch-activity" "activity" "Watches the session for activity, or stops." App::watch_activity => { List: "a a"; }
    "watch-silence" "silence" "Watches the session for silence, or stops." App::watch_silence => { List: "a s"; }
    "watch-words" "words" "Watches what the session says for words, or stops." App::watch_words => { List: "a w"; }
    "search-all" "search all" "Searches what all sessions said." App::search_all => { List: "g /"; View: "g /" "Prefix g"; Typing: "Prefix g"; }
    "new-shell" "new shell" "Starts a shell in this directory and gives it the keyboard." App::start_shell => {
        List: "c" "Prefix c"; View: "c" "Prefix c"; Typing 5: "Prefix c";
    }
    "stop" "stop" "Asks the session to end, politely first; asks you before. A service stays stopped." |app| app.confirm_end(false) => {
        List 5: "x" "Prefix x"; View: "x" "Prefix x"; Typing 7: "Prefix x";
    }
    "kill" "kill" "Ends every process of the session at once; asks you before." |app| app.confirm_end(true) => {
        List 8: "X" "Prefix X"; View: "X" "Prefix X"; Typing: "Prefix X";
    }
    "remove" "remove" "Removes the row of a session that has ended; a service is deleted, after a question." App::remove => { List 9: "d" "Delete"; }
    "undo-remove" "undo" "Brings back the row that was removed last, for ten seconds." App::undo_remove => { List: "u"; }
    "filter" "filter" "Filters the list by name, command, directory, tag and state; ! before a word excludes it." App::start_filter => {
        List 6: "/"; View: "Prefix f"; Typing: "Prefix f";
    }
    "mark" "mark" "Marks the session; stop, kill, remove and signals are for all that are marked." App::mark_row => { List: "Space"; }
    "mark-all" "mark all" "Marks all sessions in the list, or none." App::mark_all => { List: "*"; }
    "group" "group" "Groups the list by state, tag, originator, namespace, directory, or not at all." App::next_grouping => { List: "o"; }
    "wide-list" "wide list" "Gives the list the whole width, with all its columns, or takes it back." App::toggle_wide => { List: "w" "L"; }
    "detail" "details" "Shows everything about the session; of a service, why it ended before, and what it is." App::open_detail => {
        List: "i"; View: "Prefix i"; Typing: "Prefix i";
    }
    "take-over" "take over" "Takes keyboard and size from whoever has them." App::take_over => {
        List: "t" "Prefix t"; View 2: "t" "Prefix t"; Typing: "Prefix t"; Offer 1: "t";
    }
    "list" "list" "Takes the keyboard back to the list." App::show_list => {
        View 3: "Esc" "Prefix s" "Prefix w"; Typing 1: "Prefix s" "Prefix w"; List: "Prefix s" "Prefix w"; Copy: "Prefix s" "Prefix w"; CopyEmacs: "Prefix s" "Prefix w"; Logs: "Prefix s" "Prefix w";
    }
    "clear-filter" "all" "Shows all sessions again." App::clear_filter => { List: "Esc"; Filter 2: "Esc" "C-c"; }
    "accept-filter" "keep" "Keeps the filter and goes back to the rows." App::accept_filter => { Filter 1: "Enter" "Down" "Tab"; }
    "next" "next" "Goes to the next session, keyboard included." |app| app.go_round(1) => {
        Typing 4: "Prefix n"; View 5: "j" "Down" "Prefix n"; List: "Prefix n";
    }
    "previous" "previous" "Goes to the session before, keyboard included." |app| app.go_round(-1) => {
        Typing: "Prefix p"; View: "k" "Up" "Prefix p"; List: "Prefix p";
    }
    "last" "last" "Goes to the session that was selected before, keyboard included." App::go_last => {
        Typing: "Prefix l"; View: "Prefix l"; List: "Prefix l" "Backspace";
    }
    "go-to-1" "1" "Goes to session 1 in the list." |app| app.go_to_place(0) => { List: "1" "Prefix 1"; View: "Prefix 1"; Typing: "Prefix 1"; }
    "go-to-2" "2" "Goes to session 2 in the list." |app| app.go_to_place(1) => { List: "2" "Prefix 2"; View: "Prefix 2"; Typing: "Prefix 2"; }
    "go-to-3" "3" "Goes to session 3 in the list." |app| app.go_to_place(2) => { List: "3" "Prefix 3"; View: "Prefix 3"; Typing: "Prefix 3"; }
    "go-to-4" "4" "Goes to session 4 in the list." |app| app.go_to_place(3) => { List: "4" "Prefix 4"; View: "Prefix 4"; Typing: "Prefix 4"; }
    "go-to-5" "5" "Goes to session 5 in the list." |app| app.go_to_place(4) => { List: "5" "Prefix 5"; View: "Prefix 5"; Typing: "Prefix 5"; }
    "go-to-6" "6" "Goes to session 6 in the list." |app| app.go_to_place(5) => { List: "6" "Prefix 6"; View: "Prefix 6"; Typing: "Prefix 6"; }
    "go-to-7" "7" "Goes to session 7 in the list." |app| app.go_to_place(6) => { List: "7" "Prefix 7"; View: "Prefix 7"; Typing: "Prefix 7"; }
    "go-to-8" "8" "Goes to session 8 in the list." |app| app.go_to_place(7) => { List: "8" "Prefix 8"; View: "Prefix 8"; Typing: "Prefix 8"; }
    "go-to-9" "9" "Goes to session 9 in the list." |app| app.go_to_place(8) => { List: "9" "Prefix 9"; View: "Prefix 9"; Typing: "Prefix 9"; }
    "interrupt" "interrupt" "Sends SIGINT to the chosen sessions, as C-c would." |app| app.signal(2) => { List: "s i"; }
    "hang-up" "hang up" "Sends SIGHUP to the chosen sessions; many programs reload." |app| app.signal(1) => { List: "s h"; }
    "terminate" "terminate" "Sends SIGTERM to the chosen sessions." |app| app.signal(15) => { List: "s t"; }
    "pause" "pause" "Sends SIGSTOP to the chosen sessions: they stand still." |app| app.signal(19) => { List: "s p"; }
    "continue" "continue" "Sends SIGCONT to the chosen sessions: they go on." |app| app.signal(18) => { List: "s c"; }
    "signal-usr1" "usr1" "Sends SIGUSR1 to the chosen sessions." |app| app.signal(10) => { List: "s 1"; }
    "signal-usr2" "usr2" "Sends SIGUSR2 to the chosen sessions." |app| app.signal(12) => { List: "s 2"; }
}
