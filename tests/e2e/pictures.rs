//! Asking the terminal around a client which pictures it can show.

use std::time::Instant;

use crate::support::Outer;
use crate::support::Place;
use crate::support::wait_until;

fn asked(terminal: &Outer) -> bool {
    String::from_utf8_lossy(&terminal.raw()).contains("\x1b[c")
}

#[test]
fn p27_doctor_asks_the_terminal_and_leaves_it_as_it_was() {
    let place = Place::new();
    let mut terminal = place.terminal(&["doctor", "--probe"]);
    wait_until("it asks", || asked(&terminal));
    terminal.type_in("\x1b_Gi=31;OK\x1b\\\x1b[?62;4c");
    terminal.wait_exit();
    terminal.wait_text("pictures  sixel supported (DA1), kitty supported (kitty query), iterm2 unknown");
    assert!(terminal.modes().contains("ECHO") && terminal.modes().contains("ICANON"), "{}", terminal.modes());

    // One that says nothing is waited for, not for long.
    let before = Instant::now();
    let mut silent = place.terminal(&["doctor", "--probe"]);
    wait_until("it asks", || asked(&silent));
    silent.wait_exit();
    silent.wait_text("pictures  sixel unknown, kitty unknown, iterm2 unknown");
    assert!(silent.modes().contains("ECHO"), "{}", silent.modes());
    assert!(before.elapsed().as_secs() < 15, "{:?}", before.elapsed());

    // Without being told to, nothing is asked.
    let mut plain = place.terminal(&["doctor"]);
    plain.wait_exit();
    plain.wait_text("rpm doctor --probe");
    assert!(!asked(&plain));
}
