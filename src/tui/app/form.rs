//! The form for a new session, and sessions made from others: the same again, or anew after an end.

use crate::session::id::SessionId;
use crate::session::spec::Kind;
use crate::session::spec::name_fault;
use crate::session::status::Status;
use crate::session::text;
use crate::tui::app::App;
use crate::tui::app::Ask;
use crate::tui::app::Effect;
use crate::tui::app::Overlay;
use crate::tui::app::Program;
use crate::tui::line::Line;

/// What the fields are called, in their order.
pub const LABELS: [&str; 5] = ["command", "name", "directory", "kind", "tags"];
const COMMAND: usize = 0;
const NAME: usize = 1;
const DIRECTORY: usize = 2;
const KIND: usize = 3;
const TAGS: usize = 4;
/// Characters that only a shell understands.
const SHELL: &[char] = &['|', '&', ';', '<', '>', '(', ')', '$', '`', '*', '?', '[', ']', '~', '{', '}', '#', '!'];

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// One for each label.
    pub fields: [Line; 5],
    /// The one that is typed into.
    pub at: usize,
    /// Pipes instead of a terminal.
    pub is_pipe: bool,
    /// Why it cannot be started.
    pub fault: Option<String>,
    /// What could follow in the field.
    pub offers: Vec<String>,
    /// Commands of other sessions, the newest first, and the one that is shown.
    recent: Vec<String>,
    shown: usize,
}

/// Takes a command line apart as a shell would, if that is all it takes; else a shell is to run it.
#[must_use]
pub fn argv(command: &str) -> Vec<String> {
    let shell = || vec!["sh".to_owned(), "-c".to_owned(), command.to_owned()];
    let (mut words, mut word, mut has_word, mut quote) = (Vec::new(), String::new(), false, None);
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"'), '\\' | '$' | '`') => return shell(),
            (None, '\'' | '"') => (quote, has_word) = (Some(c), true),
            (None, '\\') => word.extend(chars.next()),
            (None, c) if c.is_whitespace() => {
                if has_word || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                has_word = false;
            }
            (None, c) if SHELL.contains(&c) => return shell(),
            (None, '=') if words.is_empty() => return shell(),
            (_, c) => word.push(c),
        }
    }
    if quote.is_some() {
        return shell();
    }
    if has_word || !word.is_empty() {
        words.push(word);
    }
    words
}

impl Form {
    /// Returns the text of a field.
    #[must_use]
    pub fn text(&self, at: usize) -> String {
        if at == KIND {
            return if self.is_pipe { "pipe" } else { "pty" }.to_owned();
        }
        self.fields[at].text()
    }

    fn program(&self) -> Result<Program, String> {
        let set = |at: usize| Some(self.fields[at].text().trim().to_owned()).filter(|text| !text.is_empty());
        let name = set(NAME);
        if let Some(fault) = name.as_deref().and_then(name_fault) {
            return Err(format!("This cannot be a name: {fault}."));
        }
        let tags = set(TAGS).unwrap_or_default();
        Ok(Program {
            argv: argv(self.fields[COMMAND].text().trim()),
            name,
            cwd: set(DIRECTORY),
            kind: if self.is_pipe { Kind::Pipe } else { Kind::Pty },
            tags: tags.split([',', ' ']).filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        })
    }
}

/// Returns what makes the same session again.
fn program_of(status: &Status) -> Program {
    Program {
        argv: status.argv.clone(),
        name: None,
        cwd: Some(status.cwd.clone()),
        kind: status.kind,
        tags: status.tags.clone(),
    }
}

impl App {
    pub(in crate::tui) fn open_form(&mut self) {
        let mut recent: Vec<String> = Vec::new();
        for status in self.sessions.rows().iter().rev() {
            let command = text::clean(&status.command);
            if !recent.contains(&command) {
                recent.push(command);
            }
        }
        let mut form = Form { recent, ..Form::default() };
        form.fields[DIRECTORY] = Line::of(&self.here);
        self.open(Overlay::Form(form));
    }

    fn form(&mut self) -> Option<&mut Form> {
        self.damage.chrome();
        if let Some(Overlay::Form(form)) = &mut self.overlay { Some(form) } else { None }
    }

    pub(in crate::tui) fn step_field(&mut self, by: isize) {
        if let Some(form) = self.form() {
            form.at = (form.at + LABELS.len()).saturating_add_signed(by) % LABELS.len();
            form.offers.clear();
        }
    }

    /// Completes a path, changes the kind, or goes to the next field where neither is possible.
    pub(in crate::tui) fn complete_field(&mut self) {
        let here = self.here.clone();
        let Some(form) = self.form() else { return };
        let word = form.fields[form.at].before().rsplit(' ').next().unwrap_or_default().to_owned();
        match form.at {
            KIND => form.is_pipe = !form.is_pipe,
            COMMAND | DIRECTORY if !word.is_empty() => {
                let base = if form.at == COMMAND { form.fields[DIRECTORY].text() } else { here };
                let effect = Effect::Complete { base, word, is_folder: form.at == DIRECTORY };
                self.effects.push(effect);
            }
            _ => self.step_field(1),
        }
    }

    /// What a path can go on with was found out.
    pub(in crate::tui) fn on_completions(&mut self, word: &str, mut found: Vec<String>) {
        found.sort();
        let Some(form) = self.form() else { return };
        let before = form.fields[form.at].before();
        if form.at == KIND || !before.ends_with(word) {
            return;
        }
        let Some(first) = found.first() else {
            form.offers = vec!["nothing begins like this".to_owned()];
            return;
        };
        let common = found.iter().fold(first.clone(), |common, next| {
            common.chars().zip(next.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
        });
        let kept = &before[..before.len() - word.len()];
        form.fields[form.at].replace_before(&format!("{kept}{common}"));
        form.offers = if found.len() == 1 { Vec::new() } else { found };
    }

    /// Offers the commands of other sessions, one after another.
    pub(in crate::tui) fn recent_command(&mut self) {
        let Some(form) = self.form() else { return };
        if let Some(command) = form.recent.get(form.shown).cloned() {
            form.fields[COMMAND] = Line::of(&command);
            form.shown = (form.shown + 1) % form.recent.len();
            form.at = COMMAND;
        }
    }

    /// Starts what the form says; an empty command is a shell.
    pub(in crate::tui) fn submit_form(&mut self) {
        let Some(form) = self.form() else { return };
        match form.program() {
            Err(fault) => form.fault = Some(fault),
            Ok(program) => {
                self.overlay = None;
                self.expect_start();
                self.run(program);
            }
        }
    }

    fn run(&mut self, program: Program) {
        let size = self.size_for(self.panes.focused_id()).unwrap_or_default();
        self.ask(Ask::Run { size, program: Some(Box::new(program)) });
    }

    /// Starts the selected session a second time.
    pub(in crate::tui) fn duplicate(&mut self) {
        if let Some(program) = self.selected().map(program_of) {
            self.expect_start();
            self.run(program);
        }
    }

    /// Starts a session that has ended anew, under its name.
    pub(in crate::tui) fn restart(&mut self) {
        let Some(status) = self.selected() else { return };
        if status.end().is_none() {
            self.confirm_restart();
            return;
        }
        let id = status.id;
        self.restart_ended(id);
    }

    pub(in crate::tui) fn restart_ended(&mut self, id: SessionId) {
        let Some(status) = self.sessions.get(id) else { return };
        let program = Program { name: Some(status.name.clone()), ..program_of(status) };
        self.restarts.push((id, program));
        self.ask(Ask::Remove { ids: vec![id] });
    }

    /// The row of a session that is to start anew is gone, so its name is free.
    pub(in crate::tui) fn on_free(&mut self, id: SessionId) {
        if let Some(at) = self.restarts.iter().position(|(known, _)| *known == id) {
            let (_, program) = self.restarts.swap_remove(at);
            self.run(program);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_command_needs_no_shell_and_what_is_a_shells_gets_one() {
        assert_eq!(argv("make -j4 'a b' \"c d\" e\\ f"), ["make", "-j4", "a b", "c d", "e f"]);
        assert_eq!(argv(""), Vec::<String>::new());
        for command in ["a | b", "ls *.rs", "X=1 make", "echo \"$HOME\"", "cd /srv && ./run", "echo 'open"] {
            assert_eq!(argv(command), ["sh", "-c", command]);
        }
        assert_eq!(argv("env X=1 ''"), ["env", "X=1", ""]);
    }
}
