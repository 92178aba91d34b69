//! The one list of actions: keymap, hint line and help are made from it and from nothing else.
//!
//! A binding names the context in which its keys count. `Prefix` in a key sequence stands for the prefix key, whatever it is. Contexts of
//! overlays replace the one below, they do not add to it.

use self::Context::Confirm;
use self::Context::Help;
use self::Context::List;
use self::Context::Lost;
use self::Context::Offer;
use self::Context::Typing;
use self::Context::View;

/// Where the keyboard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// On the list.
    List,
    /// On a pane that is only looked at.
    View,
    /// With the session: only the prefix is ours.
    Typing,
    /// On the question whether to stop or kill.
    Confirm,
    /// On the question what to do with a session that somebody else controls.
    Offer,
    /// On the help.
    Help,
    /// On the word that the daemon is gone.
    Lost,
}

/// All contexts, for building tables.
pub const CONTEXTS: [Context; 7] = [List, View, Typing, Confirm, Offer, Help, Lost];

/// What a key can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is described for users in the list below")]
pub enum Id {
    Next,
    Previous,
    First,
    Last,
    GoTo(u8),
    Type,
    TakeOver,
    ShowList,
    NextSession,
    PreviousSession,
    New,
    Stop,
    Kill,
    Remove,
    Zoom,
    Redraw,
    Help,
    Leave,
    Suspend,
    SendPrefix,
    Yes,
    No,
    JustView,
    Close,
    ScrollDown,
    ScrollUp,
    StartDaemon,
}

/// Keys of an action in one context.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where they count.
    pub context: Context,
    /// Alternatives, each a sequence of key names separated by blanks.
    pub keys: &'static [&'static str],
    /// Place in the hint line, 1 first; 0 keeps it to the help.
    pub hint: u8,
}

/// Something a user can do.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// Which.
    pub id: Id,
    /// Its name, for settings and the palette.
    pub name: &'static str,
    /// One or two words for the hint line.
    pub short: &'static str,
    /// One sentence for the help.
    pub about: &'static str,
    /// How it is reached.
    pub bindings: &'static [Binding],
}

const fn on(context: Context, keys: &'static [&'static str], hint: u8) -> Binding {
    Binding { context, keys, hint }
}

const fn action(
    id: Id,
    name: &'static str,
    short: &'static str,
    about: &'static str,
    bindings: &'static [Binding],
) -> Action {
    Action { id, name, short, about, bindings }
}

/// Every action there is, in the order of the help.
pub const ACTIONS: &[Action] = &[
    action(Id::Next, "next-row", "down", "Selects the next session.", &[on(List, &["j", "Down"], 0)]),
    action(Id::Previous, "previous-row", "up", "Selects the session above.", &[on(List, &["k", "Up"], 0)]),
    action(Id::First, "first-row", "first", "Selects the first session.", &[on(List, &["g", "Home"], 0)]),
    action(Id::Last, "last-row", "last", "Selects the last session.", &[on(List, &["G", "End"], 0)]),
    action(
        Id::Type,
        "type",
        "type",
        "Gives the keyboard to the session; it gets the pane's size.",
        &[on(List, &["Enter"], 1), on(View, &["Enter", "Prefix Enter"], 1)],
    ),
    action(
        Id::New,
        "new",
        "new shell",
        "Starts a shell in this directory and gives it the keyboard.",
        &[on(List, &["n", "Prefix c"], 2), on(View, &["n", "Prefix c"], 0), on(Typing, &["Prefix c"], 5)],
    ),
    action(
        Id::Stop,
        "stop",
        "stop",
        "Asks the session to end, politely first; asks you before.",
        &[on(List, &["x", "Prefix x"], 5), on(View, &["x", "Prefix x"], 0), on(Typing, &["Prefix x"], 7)],
    ),
    action(
        Id::Kill,
        "kill",
        "kill",
        "Ends every process of the session at once; asks you before.",
        &[on(List, &["X", "Prefix X"], 7), on(View, &["X", "Prefix X"], 0), on(Typing, &["Prefix X"], 0)],
    ),
    action(Id::Remove, "remove", "remove", "Removes the row of a session that has ended.", &[on(List, &["d"], 8)]),
    action(
        Id::ShowList,
        "list",
        "list",
        "Takes the keyboard back to the list.",
        &[
            on(View, &["Esc", "Prefix s", "Prefix w"], 3),
            on(Typing, &["Prefix s", "Prefix w"], 1),
            on(List, &["Prefix s", "Prefix w", "Esc"], 0),
        ],
    ),
    action(
        Id::NextSession,
        "next",
        "next",
        "Goes to the next session, keyboard included.",
        &[on(Typing, &["Prefix n"], 4), on(View, &["j", "Down", "Prefix n"], 5), on(List, &["Prefix n"], 0)],
    ),
    action(
        Id::PreviousSession,
        "previous",
        "previous",
        "Goes to the session before, keyboard included.",
        &[on(Typing, &["Prefix p"], 0), on(View, &["k", "Up", "Prefix p"], 0), on(List, &["Prefix p"], 0)],
    ),
    number("1"),
    number("2"),
    number("3"),
    number("4"),
    number("5"),
    number("6"),
    number("7"),
    number("8"),
    number("9"),
    action(
        Id::TakeOver,
        "take-over",
        "take over",
        "Takes keyboard and size from whoever has them.",
        &[
            on(List, &["t", "Prefix t"], 0),
            on(View, &["t", "Prefix t"], 2),
            on(Typing, &["Prefix t"], 0),
            on(Offer, &["t"], 1),
        ],
    ),
    action(
        Id::Zoom,
        "zoom",
        "zoom",
        "Hides the list, or shows it again.",
        &[on(List, &["z", "Prefix z"], 6), on(View, &["z", "Prefix z"], 6), on(Typing, &["Prefix z"], 6)],
    ),
    action(
        Id::Redraw,
        "redraw",
        "redraw",
        "Draws everything anew.",
        &[on(List, &["C-l", "Prefix r"], 0), on(View, &["C-l", "Prefix r"], 0), on(Typing, &["Prefix r"], 0)],
    ),
    action(
        Id::SendPrefix,
        "send-prefix",
        "send prefix",
        "Sends the prefix key itself to the program.",
        &[on(Typing, &["Prefix Prefix"], 0)],
    ),
    action(
        Id::Help,
        "help",
        "help",
        "Shows every key of the place where the keyboard is.",
        &[on(List, &["?", "F1", "Prefix ?"], 3), on(View, &["?", "F1", "Prefix ?"], 4), on(Typing, &["Prefix ?"], 3)],
    ),
    action(
        Id::Suspend,
        "suspend",
        "suspend",
        "Suspends the dashboard; `fg` brings it back.",
        &[on(List, &["C-z"], 0), on(View, &["C-z"], 0)],
    ),
    action(
        Id::Leave,
        "leave",
        "leave",
        "Leaves; every session keeps running.",
        &[
            on(List, &["q", "C-c", "Prefix d"], 4),
            on(View, &["q", "C-c", "Prefix d"], 7),
            on(Typing, &["Prefix d"], 2),
            on(Lost, &["q", "C-c", "Prefix d"], 2),
        ],
    ),
    action(
        Id::No,
        "no",
        "no",
        "Leaves everything as it is.",
        &[on(Confirm, &["n", "N", "Enter", "Esc", "q", "C-c"], 1)],
    ),
    action(Id::Yes, "yes", "yes", "Does it.", &[on(Confirm, &["y", "Y"], 2)]),
    action(Id::JustView, "view", "just view", "Looks on while somebody else types.", &[on(Offer, &["v"], 2)]),
    action(
        Id::Close,
        "close",
        "close",
        "Closes this.",
        &[on(Offer, &["Esc", "q", "C-c"], 3), on(Help, &["Esc", "q", "?", "F1", "C-c", "Enter"], 1)],
    ),
    action(Id::ScrollDown, "scroll-down", "down", "Scrolls down.", &[on(Help, &["j", "Down", "PageDown", "Space"], 2)]),
    action(Id::ScrollUp, "scroll-up", "up", "Scrolls up.", &[on(Help, &["k", "Up", "PageUp"], 3)]),
    action(
        Id::StartDaemon,
        "start-daemon",
        "start the daemon",
        "Starts the daemon if it does not come back.",
        &[on(Lost, &["s"], 1)],
    ),
];

/// Returns the action that selects a session by its place in the list.
const fn number(digit: &'static str) -> Action {
    // The help shows the first of the nine.
    let about = "Goes to the first session in the list; 2 to 9 to the others.";
    let (id, bindings): (Id, &'static [Binding]) = match digit.as_bytes()[0] {
        b'1' => (Id::GoTo(1), GO_1),
        b'2' => (Id::GoTo(2), GO_2),
        b'3' => (Id::GoTo(3), GO_3),
        b'4' => (Id::GoTo(4), GO_4),
        b'5' => (Id::GoTo(5), GO_5),
        b'6' => (Id::GoTo(6), GO_6),
        b'7' => (Id::GoTo(7), GO_7),
        b'8' => (Id::GoTo(8), GO_8),
        _ => (Id::GoTo(9), GO_9),
    };
    action(id, "go-to", digit, about, bindings)
}

macro_rules! go {
    ($name:ident, $key:literal, $prefixed:literal) => {
        const $name: &[Binding] =
            &[on(List, &[$key, $prefixed], 0), on(View, &[$prefixed], 0), on(Typing, &[$prefixed], 0)];
    };
}
go!(GO_1, "1", "Prefix 1");
go!(GO_2, "2", "Prefix 2");
go!(GO_3, "3", "Prefix 3");
go!(GO_4, "4", "Prefix 4");
go!(GO_5, "5", "Prefix 5");
go!(GO_6, "6", "Prefix 6");
go!(GO_7, "7", "Prefix 7");
go!(GO_8, "8", "Prefix 8");
go!(GO_9, "9", "Prefix 9");

/// Returns the actions of a context, each with its keys there.
pub fn bound(context: Context) -> impl Iterator<Item = (&'static Action, &'static Binding)> {
    let of = move |action: &'static Action| {
        let binding = action.bindings.iter().find(|binding| binding.context == context);
        binding.map(|binding| (action, binding))
    };
    ACTIONS.iter().filter_map(of)
}
