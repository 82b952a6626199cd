//! Help that calls the program what the person who reads it has typed, and suggestions for what it does not know.

use clap::error::{ContextKind, ContextValue};
use clap::{ArgMatches, Command};

/// Words that other programs use, and those of this one.
const SUGGESTED: [(&str, &str); 12] = [
    ("train", "reproduce"),
    ("run", "reproduce"),
    ("resume", "reproduce"),
    ("classify", "predict"),
    ("recognize", "predict"),
    ("test", "evaluate"),
    ("eval", "evaluate"),
    ("progress", "status"),
    ("list", "status"),
    ("ensemble", "committee"),
    ("download", "setup"),
    ("gpu", "cuda"),
];

/// The command line's arguments. A wrong one ends the program with exit code 2, a sentence and, if possible, a suggestion.
#[must_use]
pub fn matches(command: Command) -> ArgMatches {
    command.try_get_matches().unwrap_or_else(|error| with_suggestion(error).exit())
}

fn with_suggestion(mut error: clap::Error) -> clap::Error {
    for (given, suggested) in [
        (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
        (ContextKind::InvalidValue, ContextKind::SuggestedValue),
    ] {
        let Some(ContextValue::String(given)) = error.get(given) else { continue };
        if let Some((_, known)) = SUGGESTED.iter().find(|(word, _)| word.eq_ignore_ascii_case(given)) {
            let known = (*known).to_owned();
            let value = match suggested {
                ContextKind::SuggestedSubcommand => ContextValue::Strings(vec![known]),
                _ => ContextValue::String(known),
            };
            error.insert(suggested, value);
        }
    }
    error
}

/// What stands for the program's name in help texts.
const NAME: &str = "$mcdnn";

/// The same command line, its help written for the program `name`.
#[must_use]
pub fn called(command: Command, name: &str) -> Command {
    let renamed =
        |text: Option<&clap::builder::StyledStr>| text.map(|text| text.to_string().replace(NAME, name));
    let (about, long_about) = (renamed(command.get_about()), renamed(command.get_long_about()));
    let (after, after_long) = (renamed(command.get_after_help()), renamed(command.get_after_long_help()));
    let mut command = command;
    for (text, set) in [
        (about, Command::about as fn(Command, String) -> Command),
        (long_about, Command::long_about),
        (after, Command::after_help),
        (after_long, Command::after_long_help),
    ] {
        if let Some(text) = text {
            command = set(command, text);
        }
    }
    command = command.mut_args(|arg| {
        let (help, long_help) = (renamed(arg.get_help()), renamed(arg.get_long_help()));
        let arg = if let Some(help) = help { arg.help(help) } else { arg };
        if let Some(help) = long_help { arg.long_help(help) } else { arg }
    });
    command.mut_subcommands(|command| called(command, name))
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    #[test]
    fn the_name_stands_wherever_help_has_a_place_for_it() {
        let flag = Arg::new("flag").long("flag").help("see `$mcdnn info`");
        let command = Command::new("a")
            .arg(flag)
            .subcommand(Command::new("b").about("what `$mcdnn b` does").after_long_help("$mcdnn b --c"));
        let mut command = called(command, "cargo xtask");
        let help = command.render_long_help().to_string();
        assert!(
            help.contains("see `cargo xtask info`") && help.contains("what `cargo xtask b` does"),
            "{help}"
        );
        let help = command.find_subcommand_mut("b").unwrap().render_long_help().to_string();
        assert!(help.contains("cargo xtask b --c"), "{help}");
    }
}
