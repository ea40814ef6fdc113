//! What is said to feelings: the site's sentences, with the caller's own words in them where there are any.

use radline_dialogue::{Command, Distress, Feeling, Understanding};

use super::Play;

/// A caller who is afraid, and the sentence that was worded for them.
fn afraid(play: &mut Play, draft: Option<&str>) -> String {
    let heard = vec![Command::Feels(Distress::Strong, Feeling::Exam)];
    let mut understanding = Understanding::from_parsers(heard);
    understanding.acknowledgement = draft.map(Into::into);
    play.last = play.dialogue.hear(&"I am terrified of the tunnel".into(), &understanding);
    play.last.say[0].text.expose().clone()
}

fn greeted() -> Play {
    let mut play = Play::new();
    play.yes();
    play
}

#[test]
fn what_weighs_on_the_caller_is_said_back() {
    let mut play = greeted();
    let sentence = "It is all right to be nervous about the tunnel.";
    assert_eq!(afraid(&mut play, Some(sentence)), sentence);
    let said = &play.last.say[0];
    assert!(said.source.ends_with(".empathy, worded"), "{}", said.source);
    assert!(!said.reusable, "it holds a caller's words, and nobody else may hear it");
}

#[test]
fn what_the_site_has_not_signed_is_not_said() {
    for draft in ["The tunnel is harmless.", "It is all right to be nervous about .", ""] {
        let said = afraid(&mut greeted(), Some(draft));
        assert_eq!(said, afraid(&mut greeted(), None), "{draft}");
    }
}

#[test]
fn no_sentence_is_said_back_twice() {
    let mut play = greeted();
    let first = afraid(&mut play, Some("It is all right to be nervous about the tunnel."));
    let again = afraid(&mut play, Some("It is all right to be nervous about the noise."));
    assert!(first.contains("the tunnel") && !again.contains("the noise"), "{again}");
    let other = "Thank you for telling me that the noise worries you.";
    assert_eq!(afraid(&mut play, Some(other)), other);
}
