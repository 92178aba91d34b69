//! Fuzzy search: how well a few letters fit a text, and where.
//!
//! Letters must come in their order. Beginnings of words, runs and an early start count for more. Small letters match large ones; a
//! large one matches itself only. Pure and without allocation but for the places.

/// Returns how well a pattern fits, higher is better, and which characters of the text it took; none if it does not.
#[must_use]
pub fn fit(pattern: &str, text: &str) -> Option<(i32, Vec<usize>)> {
    let wanted: Vec<char> = pattern.chars().filter(|c| !c.is_whitespace()).collect();
    let chars: Vec<char> = text.chars().collect();
    if wanted.is_empty() {
        return Some((0, Vec::new()));
    }
    let is_same = |want: char, have: char| want == have || (!want.is_uppercase() && have.to_lowercase().eq([want]));
    // The best of all starts: a greedy run from each place where the first letter is.
    let starts = (0..chars.len()).filter(|at| is_same(wanted[0], chars[*at]));
    let mut best: Option<(i32, Vec<usize>)> = None;
    for start in starts.take(16) {
        let mut places = Vec::with_capacity(wanted.len());
        let mut at = start;
        for want in &wanted {
            let Some(found) = (at..chars.len()).find(|at| is_same(*want, chars[*at])) else { break };
            places.push(found);
            at = found + 1;
        }
        if places.len() < wanted.len() {
            break;
        }
        let score = score(&chars, &places);
        if best.as_ref().is_none_or(|(known, _)| score > *known) {
            best = Some((score, places));
        }
    }
    best
}

fn score(chars: &[char], places: &[usize]) -> i32 {
    let mut score = 0;
    for (n, at) in places.iter().enumerate() {
        let begins_word = *at == 0 || !chars[at - 1].is_alphanumeric();
        let is_run = n > 0 && places[n - 1] + 1 == *at;
        score += 1 + 8 * i32::from(begins_word) + 6 * i32::from(is_run);
    }
    let span = places.last().unwrap_or(&0) - places.first().unwrap_or(&0);
    score * 4
        - i32::try_from(span + places.first().unwrap_or(&0)).unwrap_or(i32::MAX / 2).min(200)
        - i32::try_from(chars.len()).unwrap_or(0).min(100) / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(pattern: &str, texts: &[&'a str]) -> Option<&'a str> {
        texts
            .iter()
            .filter_map(|text| Some((fit(pattern, text)?.0, *text)))
            .max_by_key(|(score, _)| *score)
            .map(|(_, text)| text)
    }

    #[test]
    fn beginnings_of_words_and_runs_win() {
        let actions = ["split-right", "split-down", "previous-prompt", "scroll-down", "send-prefix", "stop"];
        for (pattern, expected) in [
            ("sr", "split-right"),
            ("sd", "split-down"),
            ("pp", "previous-prompt"),
            ("stop", "stop"),
            ("pre", "previous-prompt"),
        ] {
            assert_eq!(best(pattern, &actions), Some(expected), "{pattern}");
        }
        assert_eq!(best("xyz", &actions), None);
    }

    #[test]
    fn small_letters_match_large_ones_and_not_the_other_way_round() {
        assert!(fit("web", "WEB").is_some());
        assert!(fit("W", "web").is_none());
        assert_eq!(fit("wb", "web").map(|(_, places)| places), Some(vec![0, 2]));
    }
}
