//! Questions that the printer asks through the host (`//action:prompt_...`), put together into one sentence.

/// Of a question and its answers, so much is kept.
const TEXT_CHARS: usize = 200;
const ANSWERS_MAX: usize = 8;

/// A question that is being put together.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    text: String,
    answers: Vec<String>,
}

impl Prompt {
    /// Takes one action; the sentence for a technician once the question is complete.
    pub(super) fn on_action(&mut self, action: &str) -> Option<String> {
        let (word, rest) = action.split_once(' ').unwrap_or((action, ""));
        let rest: String = rest.trim().chars().take(TEXT_CHARS).collect();
        match word {
            "prompt_begin" => *self = Self { text: rest, answers: Vec::new() },
            "prompt_choice" | "prompt_button" if self.answers.len() < ANSWERS_MAX => self.answers.push(rest),
            "prompt_show" => return Some(self.sentence()),
            "prompt_end" => *self = Self::default(),
            _ => {}
        }
        None
    }

    fn sentence(&self) -> String {
        let answers =
            if self.answers.is_empty() { String::new() } else { format!(" ({})", self.answers.join(", ")) };
        format!("the printer asks \"{}\"{answers}: answer at its display", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_becomes_one_sentence_with_its_answers() {
        let mut prompt = Prompt::default();
        let told: Vec<String> =
            ["prompt_begin Filament runout", "prompt_button Continue", "prompt_button Purge", "prompt_show"]
                .iter()
                .filter_map(|action| prompt.on_action(action))
                .collect();
        assert_eq!(told, ["the printer asks \"Filament runout\" (Continue, Purge): answer at its display"]);
    }
}
