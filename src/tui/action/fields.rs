//! Actions that edit a field.

use crate::tui::action::actions;
use crate::tui::line::Line;

actions! {
    /// See the module.
    ACTIONS:
    "erase" "erase" "Deletes the character before the cursor." |app| app.edit(|line| { line.backspace(); }) => { Edit: "Backspace" "C-h"; }
    "erase-next" "erase next" "Deletes the character under the cursor." |app| app.edit(Line::delete) => { Edit: "Delete" "C-d"; }
    "erase-word" "erase word" "Deletes the word before the cursor." |app| app.edit(Line::delete_word) => { Edit: "C-w" "M-Backspace"; }
    "erase-before" "erase before" "Deletes all before the cursor." |app| app.edit(Line::delete_before) => { Edit: "C-u"; }
    "erase-after" "erase after" "Deletes all behind the cursor." |app| app.edit(Line::delete_after) => { Edit: "C-k"; }
    "left" "left" "Moves the cursor to the left." |app| app.edit(|line| line.go(-1)) => { Edit: "Left" "C-b"; }
    "right" "right" "Moves the cursor to the right." |app| app.edit(|line| line.go(1)) => { Edit: "Right" "C-f"; }
    "line-start" "start" "Moves the cursor to the beginning." |app| app.edit(Line::home) => { Edit: "Home" "C-a"; }
    "line-end" "end" "Moves the cursor to the end." |app| app.edit(Line::end) => { Edit: "End" "C-e"; }
}
