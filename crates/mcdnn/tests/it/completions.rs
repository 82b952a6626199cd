//! Scripts that complete the command line.

use crate::run::Place;

#[test]
fn every_shell_gets_a_script_with_commands_and_flags() {
    let place = Place::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = place.run(&format!("completions {shell}")).succeeded().stdout;
        for word in ["mcdnn", "reproduce", "committee", "workers", "device"] {
            assert!(script.contains(word), "no {word} for {shell}");
        }
    }
}
