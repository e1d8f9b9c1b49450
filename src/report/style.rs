//! Bold and coloured text: by the crate of the command line, or left plain in a library that is built without it.

#[cfg(feature = "cli")]
pub(super) use console::style;
#[cfg(not(feature = "cli"))]
pub(super) use plain::style;

#[cfg(not(feature = "cli"))]
mod plain {
    use std::fmt;

    /// Text that stays as it is.
    #[derive(Debug, Clone)]
    pub(in crate::report) struct Plain<T>(T);

    pub(in crate::report) fn style<T>(text: T) -> Plain<T> {
        Plain(text)
    }

    impl<T> Plain<T> {
        pub(in crate::report) fn bold(self) -> Self {
            self
        }

        pub(in crate::report) fn dim(self) -> Self {
            self
        }

        pub(in crate::report) fn red(self) -> Self {
            self
        }

        pub(in crate::report) fn green(self) -> Self {
            self
        }

        pub(in crate::report) fn force_styling(self, _colours: bool) -> Self {
            self
        }
    }

    impl<T: fmt::Display> fmt::Display for Plain<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }
}
