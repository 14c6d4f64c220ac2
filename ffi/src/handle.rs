//! Who owns what C holds.

/// A type that C holds by a pointer: a box that one call makes and `_free` takes back.
///
/// The functions here are the only ones that turn such pointers into Rust. All of them trust the
/// header's rules: a pointer is NULL or came from this library, was not freed, and nobody else
/// changes or frees what it points to during the call.
pub(crate) trait Handle: Sized {
    /// Gives it to C.
    fn give(self) -> *mut Self {
        Box::into_raw(Box::new(self))
    }

    /// Looks at what C holds; `None` for NULL.
    unsafe fn look<'a>(pointer: *const Self) -> Option<&'a Self> {
        // SAFETY: the caller says that it is NULL or one of ours, not freed yet.
        unsafe { pointer.as_ref() }
    }

    /// Changes what C holds; `None` for NULL.
    unsafe fn change<'a>(pointer: *mut Self) -> Option<&'a mut Self> {
        // SAFETY: as above, and that nobody else uses it meanwhile.
        unsafe { pointer.as_mut() }
    }

    /// Takes it back from C and frees it; nothing for NULL.
    unsafe fn free(pointer: *mut Self) {
        if !pointer.is_null() {
            // SAFETY: as above, and `give` made it from a box.
            drop(unsafe { Box::from_raw(pointer) });
        }
    }
}

/// Writes `value` where C wants it; nothing for NULL.
pub(crate) unsafe fn put<T: Handle>(out: *mut *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: the caller says that it is NULL or room for a pointer.
        unsafe { out.write(value.give()) };
    }
}
