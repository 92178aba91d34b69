//! Actions on services, and those of the logs view.

use crate::tui::action::actions;
use crate::tui::app::App;
use crate::tui::logs::Logs;

actions! {
    /// See the module.
    ACTIONS:
    "start" "start" "Starts the chosen services that do not run; one that waits for its next try is started now." App::start_services => {
        List: "S" "Prefix S"; View: "S" "Prefix S"; Typing: "Prefix S";
    }
    "reload" "reload" "Puts a fresh instance in the place of each chosen service once it is ready, without a gap." App::reload_services => {
        List: "R"; View: "R";
    }
    "services" "services" "Groups the list by namespace and goes to the first service." App::go_to_services => { List: "g s"; View: "g s"; }
    "logs" "logs" "Shows and follows what the chosen sessions say, line by line, from memory and disk." App::open_logs => {
        List 10: "f" "Prefix F"; View: "f" "Prefix F"; Typing: "Prefix F"; Grid: "f";
    }
    "logs-down" "down" "Goes down a line; at the end it follows." |app| app.move_logs(|logs| logs.scroll(1)) => { Logs: "j" "Down" "C-n" "Enter" "C-e"; }
    "logs-up" "up" "Goes up a line, and reads older ones." |app| app.move_logs(|logs| logs.scroll(-1)) => { Logs: "k" "Up" "C-p" "C-y"; }
    "logs-half-down" "half down" "Goes half a page down." |app| app.move_logs(|logs| logs.page(1)) => { Logs: "C-d"; }
    "logs-half-up" "half up" "Goes half a page up." |app| app.move_logs(|logs| logs.page(-1)) => { Logs: "C-u"; }
    "logs-page-down" "page down" "Goes a page down." |app| app.move_logs(|logs| logs.page(2)) => { Logs: "PageDown" "C-f"; }
    "logs-page-up" "page up" "Goes a page up." |app| app.move_logs(|logs| logs.page(-2)) => { Logs: "PageUp" "b"; }
    "logs-first" "oldest" "Goes to the oldest line of all; reading up to it may take a moment." |app| app.move_logs(Logs::go_first) => { Logs: "g g" "Home" "<"; }
    "logs-last" "end" "Goes to the newest line, and on with what comes." App::follow_logs => { Logs: "G" "End" "F" ">"; }
    "logs-follow" "follow/pause" "Stops where it is, or goes on with what comes." App::toggle_follow => { Logs 1: "Space" "f"; }
    "logs-find" "search" "Searches what was read: a regular expression, found as you type." |app| app.in_logs(Logs::start_find) => { Logs 2: "/"; }
    "logs-previous-hit" "previous" "Goes to the match before." |app| app.go_to_log_hit(true) => { Logs: "N"; }
    "logs-next-hit" "next" "Goes to the next match." |app| app.go_to_log_hit(false) => { Logs: "n"; }
    "logs-previous-error" "error up" "Goes to the line before that looks like an error." |app| app.go_to_log_error(true) => { Logs 3: "e" "("; }
    "logs-next-error" "error down" "Goes to the next line that looks like an error." |app| app.go_to_log_error(false) => { Logs: "E" ")"; }
    "logs-stream" "stream" "Shows standard output alone, standard error alone, or both." App::next_stream => { Logs 4: "s"; }
    "logs-times" "times" "Begins each line with its time, or stops that." |app| app.in_logs(|logs| logs.has_times = !logs.has_times) => { Logs 5: "t"; }
    "logs-wrap" "wrap" "Lets long lines go on in the next row, or cuts them." |app| app.in_logs(Logs::toggle_wrap) => { Logs: "w"; }
    "logs-left" "left" "Shows more of the left, where lines are cut." |app| app.in_logs(|logs| logs.shift_view(-8)) => { Logs: "h" "Left"; }
    "logs-right" "right" "Shows more of the right, where lines are cut." |app| app.in_logs(|logs| logs.shift_view(8)) => { Logs: "l" "Right"; }
    "logs-leave" "back" "Goes back to where it was opened." App::leave_logs => { Logs 6: "q" "Esc" "C-c"; }
}
