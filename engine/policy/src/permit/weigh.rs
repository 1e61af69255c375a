//! [`Weigh`]: what of a piece of data is counted and hashed.

use sayso_types::dialogue::{Exchange, Fact, Request};

/// How much of itself a piece of data hands over: what the audit log counts and hashes.
pub trait Weigh {
    /// The bytes handed over, in order. Called once a pass, and once before it where a permit is for so many bytes and no more.
    fn weigh(&self, visit: &mut dyn FnMut(&[u8]));
}

impl Weigh for [u8] {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        visit(self);
    }
}

impl Weigh for Vec<u8> {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        visit(self);
    }
}

impl Weigh for Request {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        self.earlier.weigh(visit);
        self.history.weigh(visit);
        self.passages.weigh(visit);
        self.facts.weigh(visit);
        visit(self.role.as_bytes());
        visit(self.text.as_bytes());
    }
}

impl Weigh for Vec<Exchange> {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        for exchange in self {
            visit(exchange.said.as_bytes());
            visit(exchange.heard.as_bytes());
        }
    }
}

impl Weigh for Vec<Fact> {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        for fact in self {
            visit(fact.key.as_bytes());
            visit(fact.value.as_bytes());
        }
    }
}

impl Weigh for Vec<String> {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        self.iter().for_each(|text| visit(text.as_bytes()));
    }
}

impl Weigh for String {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        visit(self.as_bytes());
    }
}

impl Weigh for [i16] {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        let mut block = [0u8; 512];
        for chunk in self.chunks(256) {
            for (pair, sample) in block.chunks_exact_mut(2).zip(chunk) {
                pair.copy_from_slice(&sample.to_le_bytes());
            }
            visit(&block[..chunk.len() * 2]);
        }
    }
}

impl Weigh for Vec<i16> {
    fn weigh(&self, visit: &mut dyn FnMut(&[u8])) {
        self.as_slice().weigh(visit);
    }
}

/// How many bytes `data` hands over.
pub(super) fn weight(data: &impl Weigh) -> u64 {
    let mut sum = 0;
    data.weigh(&mut |part| sum += part.len() as u64);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weighed(data: &(impl Weigh + ?Sized)) -> Vec<u8> {
        let mut all = Vec::new();
        data.weigh(&mut |part| all.extend_from_slice(part));
        all
    }

    #[test]
    fn all_that_is_handed_over_is_weighed_in_order() {
        let exchange = |said: &str, heard: &str| Exchange { said: said.to_owned(), heard: heard.to_owned() };
        let fact = Fact { key: "e".to_owned(), value: "f".to_owned() };
        let request = Request {
            earlier: vec![exchange("a", "b")],
            history: vec![exchange("c", "d")],
            passages: vec!["P".to_owned(), "Q".to_owned()],
            facts: vec![fact],
            role: "g".to_owned(),
            text: "h".to_owned(),
            remembers: true,
        };
        assert_eq!(weighed(&request), b"abcdPQefgh");
        assert_eq!(weight(&request), 10);
        assert_eq!(weighed(&String::from("word")), b"word");
        assert_eq!(weighed(&vec![1_u8, 2]), [1, 2]);
        assert_eq!(weighed(&[3_u8][..]), [3]);
    }

    #[test]
    fn samples_are_weighed_across_blocks() {
        for len in [0, 1, 255, 256, 257, 513] {
            let samples: Vec<i16> = (0..len).map(|i| i * 3 - 7).collect();
            let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            assert_eq!(weighed(&samples), bytes, "{len} samples");
            assert_eq!(weight(&samples), bytes.len() as u64);
        }
    }
}
