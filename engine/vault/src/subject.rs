//! [`SubjectKeys`]: the keys of one person, as they are and as they are stored.
//!
//! ```text
//! stored   version, 1: u8 | generation: u32 | generation of the shard key: u32 | its KeyId: 16 bytes | nonce: 24 bytes | wrapped
//! wrapped  XChaCha20-Poly1305 under the shard key; additional data: subject, and all that is before the nonce
//! inside   subject key: 32 bytes | categories, by name: name's length: u8 | name | generation: u32 | salt: 32 bytes
//! ```
//!
//! All integers are big-endian. A category that was forgotten has a salt of zeros, which nothing is ever sealed under.

use std::collections::BTreeMap;

use sayso_types::{Category, SubjectId};
use zeroize::Zeroizing;

use crate::secret::{KEY_BYTES, NONCE_BYTES, authenticated, nonce};
use crate::shard::ShardKey;
use crate::vault::KeyRef;
use crate::{Error, KeyId, SecretKey};

/// The version of the format that is written here.
const VERSION: u8 = 1;
/// Version, generation, and the shard key's generation and id.
const HEADER_BYTES: usize = 1 + 4 + 4 + KeyId::BYTES;
/// What stands in the place of a salt that was destroyed.
const DESTROYED: [u8; KEY_BYTES] = [0; KEY_BYTES];

/// The key of one category of one person.
#[derive(Debug)]
pub(crate) struct CategoryKey {
    pub(crate) generation: u32,
    pub(crate) id: KeyId,
    pub(crate) key: SecretKey,
}

/// One category in a person's keys.
#[derive(Debug)]
struct Salt {
    generation: u32,
    /// [`None`] once it was destroyed.
    salt: Option<SecretKey>,
}

/// The keys of one person.
#[derive(Debug)]
pub(crate) struct SubjectKeys {
    /// Greater than that of any earlier keys of the same person.
    pub(crate) generation: u32,
    root: SecretKey,
    salts: BTreeMap<Category, Salt>,
}

impl SubjectKeys {
    /// New keys, with no category yet.
    pub(crate) fn new(generation: u32) -> Self {
        Self { generation, root: SecretKey::random(), salts: BTreeMap::new() }
    }

    /// The key of `category`; [`None`] when there never was one, or it was destroyed.
    pub(crate) fn key(&self, category: Category) -> Option<CategoryKey> {
        let Salt { generation, salt } = self.salts.get(&category)?;
        let info: [&[u8]; 3] = [b"sayso/vault/category/v1", category.as_str().as_bytes(), &generation.to_be_bytes()];
        let key = self.root.derive(salt.as_ref()?.reveal(), &info);
        Some(CategoryKey { generation: *generation, id: KeyId::of(&key), key })
    }

    /// The newest generation that the key of `category` had, destroyed or not; 0 for none.
    pub(crate) fn newest(&self, category: Category) -> u32 {
        self.salts.get(&category).map_or(0, |salt| salt.generation)
    }

    /// Makes a new key for `category`, of the next generation.
    pub(crate) fn create(&mut self, category: Category) {
        let generation = self.newest(category) + 1;
        self.salts.insert(category, Salt { generation, salt: Some(SecretKey::random()) });
    }

    /// Destroys the key of `category`; [`None`] when there is none.
    pub(crate) fn destroy(&mut self, category: Category) -> Option<KeyRef> {
        let CategoryKey { generation, id, .. } = self.key(category)?;
        self.salts.insert(category, Salt { generation, salt: None });
        Some(KeyRef { category, generation, key: id })
    }

    /// Destroys the key of `category` up to `generation`, also where there is none yet, so that none of these is ever made.
    /// Whether that changed anything.
    pub(crate) fn bury(&mut self, category: Category, generation: u32) -> bool {
        let is_buried = self
            .salts
            .get(&category)
            .is_some_and(|held| held.generation > generation || held.generation == generation && held.salt.is_none());
        if !is_buried {
            self.salts.insert(category, Salt { generation, salt: None });
        }
        !is_buried
    }

    /// Every key that there is.
    pub(crate) fn all(&self) -> Vec<KeyRef> {
        let live = self.salts.keys().filter_map(|category| Some((*category, self.key(*category)?)));
        live.map(|(category, CategoryKey { generation, id, .. })| KeyRef { category, generation, key: id }).collect()
    }

    /// The stored form of the keys of `subject`, wrapped under `shard_key`.
    pub(crate) fn wrap(&self, subject: SubjectId, shard_key: &ShardKey) -> Vec<u8> {
        self.wrap_with(subject, shard_key, nonce())
    }

    /// As [`wrap`](Self::wrap), with a nonce that must never be used again under this key.
    pub(crate) fn wrap_with(&self, subject: SubjectId, shard_key: &ShardKey, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let mut header = [0; HEADER_BYTES];
        header[0] = VERSION;
        header[1..5].copy_from_slice(&self.generation.to_be_bytes());
        header[5..9].copy_from_slice(&shard_key.generation.to_be_bytes());
        header[9..].copy_from_slice(&shard_key.id.0);
        let locked = shard_key.key.lock(&nonce, &bound_to(subject, &header), &self.encode());
        [&header[..], &nonce, &locked].concat()
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        // Grown in advance: what a vector outgrows is not wiped.
        let size = self.salts.keys().map(|category| 1 + category.as_str().len() + 4 + KEY_BYTES).sum::<usize>();
        let mut inside = Zeroizing::new(Vec::with_capacity(KEY_BYTES + size));
        inside.extend_from_slice(self.root.reveal());
        for (category, Salt { generation, salt }) in &self.salts {
            let name = category.as_str().as_bytes();
            inside.push(u8::try_from(name.len()).expect("a name has at most 31 characters"));
            inside.extend_from_slice(name);
            inside.extend_from_slice(&generation.to_be_bytes());
            let salt: &[u8; KEY_BYTES] = salt.as_ref().map_or(&DESTROYED, SecretKey::reveal);
            inside.extend_from_slice(salt);
        }
        inside
    }

    pub(crate) fn decode(generation: u32, inside: &[u8]) -> Option<Self> {
        let (root, mut rest) = inside.split_at_checked(KEY_BYTES)?;
        let mut salts = BTreeMap::new();
        while let Some((length, after)) = rest.split_first() {
            let (name, after) = after.split_at_checked(usize::from(*length))?;
            let (generation, after) = after.split_first_chunk()?;
            let (salt, after) = after.split_at_checked(KEY_BYTES)?;
            let category: Category = core::str::from_utf8(name).ok()?.parse().ok()?;
            let salt = if salt == DESTROYED { None } else { SecretKey::from_slice(salt) };
            salts.insert(category, Salt { generation: u32::from_be_bytes(*generation), salt });
            rest = after;
        }
        Some(Self { generation, root: SecretKey::from_slice(root)?, salts })
    }
}

/// The stored form of a person's keys, taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrapped<'a> {
    pub(crate) generation: u32,
    /// The generation of the shard key that they are wrapped under.
    pub(crate) shard_generation: u32,
    shard_key: KeyId,
    header: &'a [u8],
    nonce: [u8; NONCE_BYTES],
    locked: &'a [u8],
}

impl<'a> Wrapped<'a> {
    /// Takes `stored` apart.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub(crate) fn parse(stored: &'a [u8]) -> Result<Self, Error> {
        let parsed = (|| {
            let (header, _) = stored.split_at_checked(HEADER_BYTES)?;
            let ([version], rest) = stored.split_first_chunk()?;
            let (generation, rest) = rest.split_first_chunk()?;
            let (shard_generation, rest) = rest.split_first_chunk()?;
            let (shard_key, rest) = rest.split_first_chunk()?;
            let (nonce, locked) = rest.split_first_chunk()?;
            let [generation, shard_generation] = [generation, shard_generation].map(|n| u32::from_be_bytes(*n));
            let (shard_key, nonce) = (KeyId(*shard_key), *nonce);
            (*version == VERSION).then_some(Self { generation, shard_generation, shard_key, header, nonce, locked })
        })();
        parsed.ok_or_else(|| damaged("it has not the form of wrapped keys"))
    }

    /// The keys of `subject`.
    ///
    /// # Errors
    /// [`Error::WrongShardKey`] when `shard_key` is not the one they are wrapped under; [`Error::Damaged`].
    pub(crate) fn unwrap(&self, subject: SubjectId, shard_key: &ShardKey) -> Result<SubjectKeys, Error> {
        if self.shard_key != shard_key.id {
            return Err(Error::WrongShardKey { wrapped: self.shard_key, held: shard_key.id });
        }
        let inside = shard_key.key.unlock(&self.nonce, &bound_to(subject, self.header), self.locked);
        let inside = inside.ok_or_else(|| damaged("it was changed, or is of another person"))?;
        SubjectKeys::decode(self.generation, &inside).ok_or_else(|| damaged("it does not hold keys"))
    }
}

fn bound_to(subject: SubjectId, header: &[u8]) -> Vec<u8> {
    authenticated(&[b"sayso/vault/subject-keys/v1", &subject.0, header])
}

fn damaged(found: &'static str) -> Error {
    Error::Damaged { what: "subject key", found: found.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANNA: SubjectId = SubjectId([1; 16]);
    const MEMORY: Category = Category::MEMORY_SUMMARY;

    fn keys() -> SubjectKeys {
        let mut keys = SubjectKeys::new(3);
        keys.create(MEMORY);
        keys.create(Category::TRANSCRIPT);
        keys
    }

    fn id(keys: &SubjectKeys, category: Category) -> Option<(u32, KeyId)> {
        keys.key(category).map(|key| (key.generation, key.id))
    }

    #[test]
    fn wrapped_keys_come_back_as_they_were() {
        let (shard_key, mut keys) = (ShardKey::random(7), keys());
        keys.destroy(Category::TRANSCRIPT).unwrap();
        let stored = keys.wrap(ANNA, &shard_key);
        let wrapped = Wrapped::parse(&stored).unwrap();
        assert_eq!((wrapped.generation, wrapped.shard_generation), (3, 7));
        let again = wrapped.unwrap(ANNA, &shard_key).unwrap();
        assert_eq!(id(&again, MEMORY), id(&keys, MEMORY));
        assert_eq!((id(&again, Category::TRANSCRIPT), again.newest(Category::TRANSCRIPT)), (None, 1));
    }

    #[test]
    fn destroying_one_category_leaves_the_others_and_the_next_is_another_key() {
        let mut keys = keys();
        let (memory, transcript) = (id(&keys, MEMORY), id(&keys, Category::TRANSCRIPT));
        assert_ne!(memory, transcript);
        let destroyed = keys.destroy(MEMORY).unwrap();
        assert_eq!(Some((destroyed.generation, destroyed.key)), memory);
        assert_eq!((id(&keys, MEMORY), id(&keys, Category::TRANSCRIPT)), (None, transcript));
        assert_eq!(keys.destroy(MEMORY), None, "there is nothing left to destroy");
        keys.create(MEMORY);
        let (generation, next) = id(&keys, MEMORY).unwrap();
        assert_eq!(generation, 2);
        assert_ne!(next, destroyed.key);
    }

    #[test]
    fn what_is_buried_is_not_made_again_and_what_came_after_it_stays() {
        let mut keys = keys();
        let transcript = id(&keys, Category::TRANSCRIPT);
        assert!(keys.bury(MEMORY, 3), "an old copy knows its first only");
        assert_eq!((id(&keys, MEMORY), keys.newest(MEMORY)), (None, 3));
        assert!(!keys.bury(MEMORY, 3) && !keys.bury(MEMORY, 2));
        keys.create(MEMORY);
        assert!(!keys.bury(MEMORY, 3), "it is another key");
        assert_eq!(id(&keys, MEMORY).unwrap().0, 4);
        assert!(keys.bury(Category::REPLY_TEXT, 1), "one that there never was");
        assert_eq!(id(&keys, Category::TRANSCRIPT), transcript);
    }

    #[test]
    fn keys_of_somebody_else_and_another_shard_key_are_named() {
        let (shard_key, other) = (ShardKey::random(1), ShardKey::random(1));
        let stored = keys().wrap(ANNA, &shard_key);
        let wrapped = Wrapped::parse(&stored).unwrap();
        assert!(matches!(wrapped.unwrap(SubjectId([2; 16]), &shard_key), Err(Error::Damaged { .. })));
        let Err(Error::WrongShardKey { wrapped, held }) = wrapped.unwrap(ANNA, &other) else { panic!("another key") };
        assert_eq!((wrapped, held), (shard_key.id, other.id));
    }

    proptest! {
        #[test]
        fn no_flipped_bit_and_no_cut_goes_unnoticed(
            byte: proptest::sample::Index,
            bit in 0..8u8,
            cut: proptest::sample::Index,
        ) {
            let shard_key = ShardKey::random(1);
            let stored = keys().wrap(ANNA, &shard_key);
            let mut flipped = stored.clone();
            flipped[byte.index(stored.len())] ^= 1 << bit;
            let opens = |stored: &[u8]| Wrapped::parse(stored).and_then(|w| w.unwrap(ANNA, &shard_key)).is_ok();
            prop_assert!(opens(&stored));
            prop_assert!(!opens(&flipped));
            prop_assert!(!opens(&stored[..cut.index(stored.len())]));
        }

        #[test]
        fn garbage_is_refused(bytes: Vec<u8>) {
            let shard_key = ShardKey::random(1);
            prop_assert!(Wrapped::parse(&bytes).and_then(|w| w.unwrap(ANNA, &shard_key)).is_err());
            // Whatever it decodes to, it does not panic.
            let _ = SubjectKeys::decode(1, &bytes);
        }
    }
}
