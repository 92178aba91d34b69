//! Actions of copy mode: the keys of vi, and those of Emacs.

use crate::tui::action::actions;
use crate::tui::app::App;
use crate::tui::copy::Copy;
use crate::tui::copy::Motion;
use crate::tui::copy::Seek;
use crate::tui::copy::Shape;

actions! {
    /// See the module.
    ACTIONS:
    "copy-mode" "history" "Shows the history of the session, to search and to copy." App::copy_mode => { List: "["; View: "[" "Prefix ["; Typing 9: "Prefix ["; }
    "copy-page-up" "page up" "Shows history, a page up." App::copy_page_up => { View: "PageUp" "Prefix PageUp"; Typing: "Prefix PageUp"; List: "Prefix PageUp"; }
    "paste" "paste" "Types what was copied last into the session." App::paste => { View: "Prefix ]"; Typing: "Prefix ]"; }
    "copy-left" "left" "Goes left." |app| app.in_copy(|app| app.go(Motion::Left)) => { Copy: "h" "Left" "Backspace"; CopyEmacs: "Left"; }
    "copy-down" "down" "Goes down." |app| app.in_copy(|app| app.go(Motion::Down)) => { Copy: "j" "Down" "C-n" "Enter"; CopyEmacs: "C-n" "Down"; }
    "copy-up" "up" "Goes up." |app| app.in_copy(|app| app.go(Motion::Up)) => { Copy: "k" "Up" "C-p"; CopyEmacs: "C-p" "Up"; }
    "copy-right" "right" "Goes right." |app| app.in_copy(|app| app.go(Motion::Right)) => { Copy: "l" "Right" "Space"; CopyEmacs: "C-f" "Right"; }
    "copy-word" "word" "Goes to the next word." |app| app.in_copy(|app| app.go(Motion::WordNext)) => { Copy: "w"; }
    "copy-word-end" "word end" "Goes to the end of the word." |app| app.in_copy(|app| app.go(Motion::WordEnd)) => { Copy: "e"; CopyEmacs: "M-f"; }
    "copy-word-back" "word back" "Goes to the beginning of the word." |app| app.in_copy(|app| app.go(Motion::WordBack)) => { Copy: "b"; CopyEmacs: "M-b"; }
    "copy-big-word" "WORD" "Goes to the next word between blanks." |app| app.in_copy(|app| app.go(Motion::BigNext)) => { Copy: "W"; }
    "copy-big-word-end" "WORD end" "Goes to the end of the word between blanks." |app| app.in_copy(|app| app.go(Motion::BigEnd)) => { Copy: "E"; }
    "copy-big-word-back" "WORD back" "Goes to the beginning of the word between blanks." |app| app.in_copy(|app| app.go(Motion::BigBack)) => { Copy: "B"; }
    "copy-line-start" "line start" "Goes to the beginning of the row." |app| app.in_copy(|app| app.go(Motion::LineStart)) => { Copy: "0" "Home"; CopyEmacs: "C-a" "Home"; }
    "copy-first-text" "first text" "Goes to the first text of the row." |app| app.in_copy(|app| app.go(Motion::FirstText)) => { Copy: "^"; CopyEmacs: "M-m"; }
    "copy-line-end" "line end" "Goes to the end of the row." |app| app.in_copy(|app| app.go(Motion::LineEnd)) => { Copy: "$"; CopyEmacs: "C-e"; }
    "copy-top" "top" "Goes to the first row that is seen." |app| app.in_copy(|app| app.go(Motion::Top)) => { Copy: "H"; CopyEmacs: "M-R"; }
    "copy-middle" "middle" "Goes to the row in the middle." |app| app.in_copy(|app| app.go(Motion::Middle)) => { Copy: "M"; CopyEmacs: "M-r"; }
    "copy-bottom" "bottom" "Goes to the last row that is seen." |app| app.in_copy(|app| app.go(Motion::Bottom)) => { Copy: "L"; }
    "copy-paragraph-up" "paragraph up" "Goes to the empty row above." |app| app.in_copy(|app| app.go(Motion::ParagraphUp)) => { Copy: "{"; CopyEmacs: "M-{"; }
    "copy-paragraph-down" "paragraph down" "Goes to the empty row below." |app| app.in_copy(|app| app.go(Motion::ParagraphDown)) => { Copy: "}"; CopyEmacs: "M-}"; }
    "copy-half-up" "half up" "Goes half a page up." |app| app.in_copy(|app| app.go(Motion::HalfUp)) => { Copy 6: "C-u"; CopyEmacs: "M-Up"; }
    "copy-half-down" "half down" "Goes half a page down." |app| app.in_copy(|app| app.go(Motion::HalfDown)) => { Copy: "C-d"; CopyEmacs: "M-Down"; }
    "copy-up-page" "page up" "Goes a page up." |app| app.in_copy(|app| app.go(Motion::PageUp)) => { Copy: "PageUp"; CopyEmacs: "M-v" "PageUp"; }
    "copy-down-page" "page down" "Goes a page down." |app| app.in_copy(|app| app.go(Motion::PageDown)) => { Copy: "C-f" "PageDown"; CopyEmacs: "C-v" "PageDown"; }
    "copy-line-up" "scroll up" "Scrolls up by a row." |app| app.in_copy(|app| app.copy_scroll(-1)) => { Copy: "C-y" "C-Up"; CopyEmacs: "C-Up"; }
    "copy-line-down" "scroll down" "Scrolls down by a row." |app| app.in_copy(|app| app.copy_scroll(1)) => { Copy: "C-e" "C-Down"; CopyEmacs: "C-Down"; }
    "copy-first" "first" "Goes to the oldest row, or to the row of that number." |app| app.in_copy(|app| app.go(Motion::First)) => { Copy: "g g" "C-Home"; CopyEmacs: "M-<" "C-Home"; }
    "copy-last" "end" "Goes to the newest row, and reads what came since." |app| app.in_copy(|app| app.go(Motion::Last)) => { Copy 5: "G" "End" "C-End"; CopyEmacs 5: "M->" "End" "C-End"; }
    "copy-seek" "to char" "Goes to the next such character of the row." |app| app.want_seek(Seek::To) => { Copy: "f"; }
    "copy-seek-back" "back to char" "Goes back to such a character of the row." |app| app.want_seek(Seek::BackTo) => { Copy: "F"; }
    "copy-seek-before" "before char" "Goes before the next such character of the row." |app| app.want_seek(Seek::Before) => { Copy: "t"; }
    "copy-seek-behind" "behind char" "Goes back behind such a character of the row." |app| app.want_seek(Seek::BackBehind) => { Copy: "T"; }
    "copy-seek-again" "again" "Goes to the next such character again." |app| app.in_copy(|app| { app.with_copy(|copy| copy.seek_again(false)); }) => { Copy: ";"; }
    "copy-seek-reverse" "back again" "Goes to such a character the other way round." |app| app.in_copy(|app| { app.with_copy(|copy| copy.seek_again(true)); }) => { Copy: ","; }
    "copy-mark" "mark" "Remembers this place under a letter." App::want_mark => { Copy: "m"; }
    "copy-to-mark" "to mark" "Goes to the place of a letter; to where the last jump began with ' or `." App::want_go_to_mark => { Copy: "'" "`"; }
    "copy-find" "search" "Searches forward: a regular expression, found as you type." |app| app.in_copy(|app| app.start_find(false)) => { Copy 2: "/"; CopyEmacs 2: "C-s"; }
    "copy-find-back" "search back" "Searches backward." |app| app.in_copy(|app| app.start_find(true)) => { Copy: "?"; CopyEmacs: "C-r"; }
    "copy-next-match" "next" "Goes to the next match." |app| app.in_copy(|app| app.go_to_match(false)) => { Copy 3: "n"; CopyEmacs: "M-n"; }
    "copy-previous-match" "previous" "Goes to the match before." |app| app.in_copy(|app| app.go_to_match(true)) => { Copy: "N"; CopyEmacs: "M-p"; }
    "copy-find-word" "this word" "Searches forward for the word under the cursor." |app| app.in_copy(|app| app.find_word(false)) => { Copy: "*"; }
    "copy-find-word-back" "this word back" "Searches backward for the word under the cursor." |app| app.in_copy(|app| app.find_word(true)) => { Copy: "#"; }
    "keep-find" "keep" "Ends typing what is searched." |app| app.end_find(true) => { Find 1: "Enter" "C-s"; }
    "drop-find" "back" "Goes back to where the search began." |app| app.end_find(false) => { Find 2: "Esc" "C-c" "C-g"; }
    "copy-previous-prompt" "prompt up" "Goes to the prompt before, as marked by the shell." |app| app.in_copy(|app| app.go_to_prompt(true)) => { Copy: "["; CopyEmacs: "M-["; }
    "copy-next-prompt" "prompt down" "Goes to the next prompt." |app| app.in_copy(|app| app.go_to_prompt(false)) => { Copy: "]"; CopyEmacs: "M-]"; }
    "copy-previous-error" "error up" "Goes to the line before that looks like an error." |app| app.in_copy(|app| app.go_to_error(true)) => { Copy: "("; CopyEmacs: "M-("; }
    "copy-next-error" "error down" "Goes to the next line that looks like an error." |app| app.in_copy(|app| app.go_to_error(false)) => { Copy: ")"; CopyEmacs: "M-)"; }
    "copy-select" "select" "Selects characters from here on, or stops." |app| app.in_copy(|app| app.select(Shape::Chars)) => { Copy 1: "v"; CopyEmacs 1: "C-Space"; }
    "copy-select-lines" "lines" "Selects whole rows from here on, or stops." |app| app.in_copy(|app| app.select(Shape::Lines)) => { Copy: "V"; }
    "copy-select-block" "block" "Selects a block from here on, or stops." |app| app.in_copy(|app| app.select(Shape::Block)) => { Copy: "C-v"; CopyEmacs: "R"; }
    "copy-other-end" "other end" "Goes to the other end of what is selected." |app| app.in_copy(|app| { app.with_copy(Copy::other_end); }) => { Copy: "o"; CopyEmacs: "C-x"; }
    "copy" "copy" "Copies what is selected to the clipboard, says how much, and leaves." |app| app.in_copy(|app| app.copy_selection(true)) => { Copy 4: "y"; CopyEmacs 4: "M-w"; }
    "copy-stay" "copy, stay" "Copies what is selected and stays." |app| app.in_copy(|app| app.copy_selection(false)) => { Copy: "Y"; }
    "open-pager" "pager" "Shows all of history in $PAGER." |app| app.in_copy(|app| app.open_outside(false)) => { Copy: "Prefix p"; CopyEmacs: "Prefix p"; }
    "open-editor" "editor" "Opens all of history in $EDITOR." |app| app.in_copy(|app| app.open_outside(true)) => { Copy: "Prefix e"; CopyEmacs: "Prefix e"; }
    "copy-help" "help" "Shows the keys of copy mode." App::open_help => { Copy 8: "F1" "Prefix ?"; CopyEmacs 8: "F1" "Prefix ?"; }
    "copy-escape" "stop" "Stops selecting, or leaves." App::copy_escape => { Copy: "Esc"; CopyEmacs: "Esc"; }
    "copy-leave" "leave" "Goes back to the live screen." App::leave_copy => { Copy 7: "q" "C-c"; CopyEmacs 7: "q" "C-c" "C-g"; }
}
