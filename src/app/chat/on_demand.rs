//! Parts of a chat that take no memory until they are first changed: in a list of a hundred thousand chats, only a few
//! are ever opened.

use std::ops::{Deref, DerefMut};

/// A part of a chat that has an initial state.
pub trait Initial: 'static {
    fn new() -> Self;

    /// The initial state, shared by all chats.
    fn shared() -> &'static Self;
}

/// A value that is allocated when it is first changed. Until then it reads as its initial state.
pub struct OnDemand<T>(Option<Box<T>>);

impl<T> OnDemand<T> {
    /// Not allocated yet.
    pub const INITIAL: Self = Self(None);

    pub fn of(value: T) -> Self {
        Self(Some(Box::new(value)))
    }
}

impl<T: Initial> Deref for OnDemand<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or_else(|| T::shared())
    }
}

impl<T: Initial> DerefMut for OnDemand<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_with(|| Box::new(T::new()))
    }
}

/// Implements [`Initial`].
macro_rules! initial {
    ($($part:ty = $new:expr),+ $(,)?) => {$(
        impl Initial for $part {
            fn new() -> Self {
                $new
            }

            fn shared() -> &'static Self {
                static SHARED: std::sync::LazyLock<$part> = std::sync::LazyLock::new(|| $new);
                &SHARED
            }
        }
    )+};
}
pub(super) use initial;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Count(u32);

    initial!(Count = Count(7));

    #[test]
    fn a_part_is_allocated_when_it_is_changed_and_not_when_it_is_read() {
        let mut count = OnDemand::<Count>::INITIAL;
        assert_eq!(*count, Count(7));
        assert!(count.0.is_none());
        let other = OnDemand::<Count>::INITIAL;
        count.deref_mut().0 = 8;
        assert_eq!((&*count, &*other), (&Count(8), &Count(7)));
        assert_eq!(size_of::<OnDemand<[u8; 4096]>>(), size_of::<usize>());
    }
}
