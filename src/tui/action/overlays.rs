//! Actions of the dashboard itself and of what lies over it.

use crate::tui::action::actions;
use crate::tui::app::App;

actions! {
    /// See the module.
    ACTIONS:
    "palette" "palette" "Shows every action and session by name, to choose one." App::open_palette => {
        List: ":" "C-p" "Prefix :"; View: ":" "C-p" "Prefix :"; Grid 4: ":" "C-p"; Typing 8: "Prefix :"; Copy: ":" "Prefix :"; CopyEmacs: "M-x" "Prefix :"; Logs: ":" "Prefix :";
    }
    "help" "help" "Shows every key of the place where the keyboard is." App::open_help => {
        List 3: "?" "F1" "Prefix ?"; View 4: "?" "F1" "Prefix ?"; Grid 3: "?" "F1"; Typing 3: "Prefix ?"; Logs 7: "?" "F1" "Prefix ?";
    }
    "describe-key" "what does" "Waits for a key and says what it does." App::describe_key => { List: "Prefix /"; View: "Prefix /"; Typing: "Prefix /"; Copy: "Prefix /"; CopyEmacs: "Prefix /"; Logs: "Prefix /"; }
    "messages" "messages" "Shows all messages so far, the newest first." |app| app.open(crate::tui::app::Overlay::Messages { top: 0 }) => { List: "!"; View: "!"; Typing: "Prefix ~"; Logs: "!"; }
    "redraw" "redraw" "Draws everything anew." App::redraw => { List: "C-l" "Prefix r"; View: "C-l" "Prefix r"; Typing: "Prefix r"; }
    "send-prefix" "send prefix" "Sends the prefix key itself to the program." App::send_prefix => { Typing: "Prefix Prefix"; }
    "toggle-mouse" "mouse" "Listens to the mouse, or leaves it to the terminal." App::toggle_mouse => {}
    "reload-settings" "reload settings" "Reads the settings again; a file with mistakes changes nothing." App::reload_settings => {}
    "edit-settings" "edit settings" "Opens config.toml in $VISUAL or $EDITOR, then reads it again." App::edit_settings => {}
    "suspend" "suspend" "Suspends the dashboard; `fg` brings it back." App::suspend => { List: "C-z"; View: "C-z"; }
    "leave" "leave" "Leaves; every session keeps running." App::leave => {
        List 4: "q" "C-c" "Prefix d"; View 7: "q" "C-c" "Prefix d"; Typing 2: "Prefix d"; Lost 2: "q" "C-c" "Prefix d"; Copy: "Prefix d"; CopyEmacs: "Prefix d"; Logs: "Prefix d";
    }
    "no" "no" "Leaves everything as it is." App::close => { Confirm 1: "n" "N" "Enter" "Esc" "q" "C-c"; }
    "yes" "yes" "Does it." App::confirmed => { Confirm 2: "y" "Y"; }
    "view" "just view" "Looks on while somebody else types." App::close => { Offer 2: "v"; }
    "close" "close" "Closes this." App::close_or_leave => {
        Offer 3: "Esc" "q" "C-c"; Help 1: "Esc" "q" "?" "F1" "C-c" "Enter"; Detail 1: "Esc" "q" "i" "C-c" "Enter"; Pick 1: "Esc" "q" "C-c";
        Palette 2: "Esc" "C-c"; Form 2: "Esc" "C-c"; Prompt 2: "Esc" "C-c"; Results 2: "Esc" "q" "C-c";
    }
    "choose" "do it" "Does what is chosen." App::choose => { Palette 1: "Enter"; }
    "submit" "start" "Starts the session that the form says; an empty command is a shell." App::submit_form => { Form 1: "Enter"; }
    "accept" "do it" "Does it with what was typed." App::submit_prompt => { Prompt 1: "Enter"; }
    "open-result" "go there" "Shows the line in the history of its session." App::open_hit => { Results 1: "Enter"; }
    "next-field" "next field" "Goes to the next field." |app| app.step_field(1) => { Form: "Down" "C-n"; }
    "previous-field" "field before" "Goes to the field before." |app| app.step_field(-1) => { Form: "Up" "C-p" "S-Tab"; }
    "complete" "complete" "Completes the path, changes the kind, or goes to the next field." App::complete_field => { Form 3: "Tab"; }
    "recent-command" "recent" "Offers the commands of other sessions, one after another." App::recent_command => { Form 4: "C-r"; }
    "scroll-down" "down" "Scrolls down, or chooses the next." |app| app.scroll(1) => {
        Help 2: "j" "Down" "Space"; Detail 2: "j" "Down" "Space"; Pick 2: "j" "Down"; Palette: "Down" "C-n" "Tab"; Results: "j" "Down" "C-n";
    }
    "scroll-up" "up" "Scrolls up, or chooses the one before." |app| app.scroll(-1) => {
        Help 3: "k" "Up"; Detail 3: "k" "Up"; Pick 3: "k" "Up"; Palette: "Up" "C-p" "S-Tab"; Results: "k" "Up" "C-p";
    }
    "scroll-page-down" "page down" "Scrolls down by ten lines." |app| app.scroll(10) => { Help: "PageDown" "C-f"; Detail: "PageDown" "C-f"; Pick: "PageDown" "C-f"; Palette: "PageDown"; Results: "PageDown" "C-f"; }
    "scroll-page-up" "page up" "Scrolls up by ten lines." |app| app.scroll(-10) => { Help: "PageUp" "C-b"; Detail: "PageUp" "C-b"; Pick: "PageUp" "C-b"; Palette: "PageUp"; Results: "PageUp" "C-b"; }
    "filter-help" "filter" "Shows only keys and actions that hold what is typed." |app| app.filter_help(true) => { Help 4: "/"; }
    "keep-help-filter" "keep" "Keeps the filter of the help." |app| app.filter_help(false) => { HelpFilter 1: "Enter" "Down"; }
    "clear-help-filter" "all" "Shows all keys again." App::clear_help_filter => { HelpFilter 2: "Esc" "C-c"; }
    "start-daemon" "start the daemon" "Starts the daemon if it does not come back." App::start_daemon => { Lost 1: "s"; }
}
