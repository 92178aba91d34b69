//! Actions on panes.

use crate::tui::action::actions;
use crate::tui::app::App;
use crate::tui::tiles::Axis;
use crate::tui::tiles::Shape;
use crate::tui::tiles::Way;

actions! {
    /// See the module.
    ACTIONS:
    "zoom" "zoom" "Gives the whole screen to the pane, or takes it back." App::zoom => {
        List 7: "z" "Prefix z"; View 6: "z" "Prefix z"; Typing 6: "Prefix z"; Copy: "Prefix z"; CopyEmacs: "Prefix z";
    }
    "hide-list" "hide list" "Hides the list, or shows it again." App::hide_list => { List: "b" "Prefix b"; View: "b" "Prefix b"; Typing: "Prefix b"; }
    "split-right" "split right" "Opens a pane on the right of this one." |app| app.split(Axis::Right) => {
        List: "%" "Prefix %"; View: "%" "Prefix %"; Typing: "Prefix %";
    }
    "split-down" "split down" "Opens a pane below this one." |app| app.split(Axis::Down) => {
        List: "\"" "Prefix \""; View: "\"" "Prefix \""; Typing: "Prefix \"";
    }
    "close-pane" "close pane" "Closes the pane; its session goes on." App::close_pane => { List: "Prefix q"; View: "Prefix q"; Typing: "Prefix q"; }
    "only-pane" "only this" "Closes all panes but this one." App::only_pane => { List: "Prefix !"; View: "Prefix !"; Typing: "Prefix !"; }
    "next-pane" "next pane" "Goes to the next pane, keyboard included." |app| app.step_pane(1) => { List: "Prefix o"; View: "Tab" "Prefix o"; Typing: "Prefix o"; Copy: "Prefix o"; CopyEmacs: "Prefix o"; }
    "previous-pane" "previous pane" "Goes to the pane before, keyboard included." |app| app.step_pane(-1) => { View: "S-Tab" "Prefix O"; Typing: "Prefix O"; }
    "last-pane" "last pane" "Goes to the pane that had the focus before." App::last_pane => { List: "Prefix ;"; View: "Prefix ;"; Typing: "Prefix ;"; }
    "pane-left" "left" "Goes to the pane on the left, from the leftmost one to the list." |app| app.go_pane(Way::Left) => { View: "h" "Left" "Prefix Left"; Typing: "Prefix Left"; Copy: "Prefix Left"; CopyEmacs: "Prefix Left"; }
    "pane-down" "down" "Goes to the pane below." |app| app.go_pane(Way::Down) => { View: "J" "Prefix Down"; Typing: "Prefix Down"; Copy: "Prefix Down"; CopyEmacs: "Prefix Down"; }
    "pane-up" "up" "Goes to the pane above." |app| app.go_pane(Way::Up) => { View: "K" "Prefix Up"; Typing: "Prefix Up"; Copy: "Prefix Up"; CopyEmacs: "Prefix Up"; }
    "pane-right" "right" "Goes to the pane on the right." |app| app.go_pane(Way::Right) => { List: "Prefix Right"; View: "l" "Right" "Prefix Right"; Typing: "Prefix Right"; Copy: "Prefix Right"; CopyEmacs: "Prefix Right"; }
    "grow-left" "line left" "Moves the line beside the pane to the left." |app| app.grow_pane(Way::Left) => { View: "<" "Prefix C-Left"; Typing: "Prefix C-Left"; }
    "grow-down" "line down" "Moves the line below the pane down." |app| app.grow_pane(Way::Down) => { View: "+" "Prefix C-Down"; Typing: "Prefix C-Down"; }
    "grow-up" "line up" "Moves the line below the pane up." |app| app.grow_pane(Way::Up) => { View: "-" "Prefix C-Up"; Typing: "Prefix C-Up"; }
    "grow-right" "line right" "Moves the line beside the pane to the right." |app| app.grow_pane(Way::Right) => { View: ">" "Prefix C-Right"; Typing: "Prefix C-Right"; }
    "rotate-panes" "rotate" "Moves every pane to the place of the next one." App::rotate_panes => { List: "Prefix C-o"; View: "Prefix C-o"; Typing: "Prefix C-o"; }
    "even-right" "even columns" "Arranges the panes side by side, all alike." |app| app.arrange(Shape::EvenRight) => { List: "Prefix M-1"; View: "Prefix M-1"; Typing: "Prefix M-1"; }
    "even-down" "even rows" "Arranges the panes one over the other, all alike." |app| app.arrange(Shape::EvenDown) => { List: "Prefix M-2"; View: "Prefix M-2"; Typing: "Prefix M-2"; }
    "main-layout" "main" "Arranges the panes beside a large one." |app| app.arrange(Shape::Main) => { List: "Prefix M-3"; View: "Prefix M-3"; Typing: "Prefix M-3"; }
    "tiled-layout" "tiled" "Arranges the panes as near to squares as they come." |app| app.arrange(Shape::Tiled) => { List: "Prefix M-5"; View: "Prefix M-5"; Typing: "Prefix M-5"; }
    "open-marked" "open marked" "Opens a pane for each marked session." |app| { let all = app.chosen(); app.open_panes(&all); } => { List: "m"; }
    "save-layout" "save layout" "Keeps the panes under a name." |app| app.ask_layout(true) => {}
    "open-layout" "open layout" "Opens panes that were kept under a name." |app| app.ask_layout(false) => {}
    "mark-pane" "type into both" "Marks the pane: what is typed into a marked pane goes to all of them." App::mark_pane => { List: "Prefix m"; View: "Prefix m"; Typing: "Prefix m"; }
    "unmark-panes" "type into one" "Takes all marks from panes." App::unmark_panes => { List: "Prefix M"; View: "Prefix M"; Typing: "Prefix M"; }
    "pan-left" "pan left" "Moves the view of a session that is larger than its pane to the left." |app| app.pan(Way::Left) => { View: "H" "Prefix S-Left"; Typing: "Prefix S-Left"; }
    "pan-down" "pan down" "Moves that view down." |app| app.pan(Way::Down) => { View: "Prefix S-Down"; Typing: "Prefix S-Down"; }
    "pan-up" "pan up" "Moves that view up." |app| app.pan(Way::Up) => { View: "Prefix S-Up"; Typing: "Prefix S-Up"; }
    "pan-right" "pan right" "Moves that view to the right." |app| app.pan(Way::Right) => { View: "L" "Prefix S-Right"; Typing: "Prefix S-Right"; }
}
