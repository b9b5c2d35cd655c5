//! One argument of a call: a name for errors, and a value that is checked as it is read.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyMapping, PySequence, PyString};
use recollect_model::{Error, Result, Timestamp};

use crate::{json, times};

/// A named value.
pub(crate) struct Argument<'a, 'py> {
    name: &'a str,
    value: &'a Bound<'py, PyAny>,
}

impl<'a, 'py> Argument<'a, 'py> {
    pub const fn new(name: &'a str, value: &'a Bound<'py, PyAny>) -> Self {
        Self { name, value }
    }

    fn wrong(&self, expected: &str) -> Error {
        let found = self.value.get_type().name().map_or_else(|_| "something else".to_owned(), |name| name.to_string());
        Error::invalid(format!("{} must be {expected}, not {found}", self.name))
    }

    pub fn text(&self) -> Result<String> {
        let text = self.value.cast::<PyString>().map_err(|_| self.wrong("a str"))?;
        text.to_str().map(str::to_owned).map_err(|_| {
            Error::invalid(format!("{} has a lone surrogate, which is no character", self.name))
                .with_hint("decode the bytes it came from with their real encoding")
        })
    }

    pub fn texts(&self) -> Result<Vec<String>> {
        let expected = "a sequence of str";
        if self.value.is_instance_of::<PyString>() || self.value.is_instance_of::<PyBytes>() {
            return Err(self.wrong(expected).with_hint("put a single one into a list"));
        }
        // Sets are no sequences; frozensets of tags are common enough.
        let items = self.value.try_iter().map_err(|_| self.wrong(expected))?;
        if self.value.cast::<PyMapping>().is_ok() && self.value.cast::<PySequence>().is_err() {
            return Err(self.wrong(expected));
        }
        items
            .map(|item| {
                let item = item.map_err(|_| self.wrong(expected))?;
                Argument::new(self.name, &item).text()
            })
            .collect()
    }

    pub fn integer(&self) -> Result<i64> {
        if self.value.is_instance_of::<PyBool>() {
            return Err(self.wrong("an int"));
        }
        // Types such as numpy's integers say that they are whole numbers by __index__.
        let number = if self.value.is_instance_of::<PyInt>() {
            self.value.clone()
        } else {
            self.value.call_method0("__index__").map_err(|_| self.wrong("an int"))?
        };
        number.extract().map_err(|_| Error::invalid(format!("{} does not fit into 64 bits", self.name)))
    }

    /// A number that counts something.
    pub fn size(&self) -> Result<usize> {
        let number = self.integer()?;
        usize::try_from(number).map_err(|_| Error::invalid(format!("{} is {number}; it cannot be negative", self.name)))
    }

    /// A version of an item.
    pub fn version(&self) -> Result<u32> {
        let number = self.integer()?;
        u32::try_from(number)
            .ok()
            .filter(|version| *version > 0)
            .ok_or_else(|| Error::invalid(format!("{number} is no version; they count from 1")))
    }

    pub fn boolean(&self) -> Result<bool> {
        self.value.cast::<PyBool>().map(PyBoolMethods::is_true).map_err(|_| self.wrong("a bool"))
    }

    pub fn seconds(&self) -> Result<f64> {
        if self.value.is_instance_of::<PyBool>() {
            return Err(self.wrong("a number of seconds"));
        }
        let is_number = self.value.is_instance_of::<PyFloat>() || self.value.is_instance_of::<PyInt>();
        let seconds: f64 = if is_number { self.value.extract().ok() } else { None }
            .ok_or_else(|| self.wrong("a number of seconds"))?;
        if seconds.is_nan() || seconds < 0.0 {
            return Err(Error::invalid(format!("{} is {seconds}; it must be zero seconds or more", self.name)));
        }
        Ok(seconds)
    }

    pub fn time(&self) -> Result<Timestamp> {
        times::from_python(self.name, self.value)
    }

    pub fn json(&self) -> Result<String> {
        json::object_from_python(self.name, self.value)
    }

    /// `None` for None, else what `read` makes of it.
    pub fn optional<T>(&self, read: impl FnOnce(&Self) -> Result<T>) -> Result<Option<T>> {
        if self.value.is_none() { Ok(None) } else { read(self).map(Some) }
    }
}

/// A required text.
pub(crate) fn text(name: &str, value: &Bound<'_, PyAny>) -> Result<String> {
    Argument::new(name, value).text()
}

/// A text or None.
pub(crate) fn optional_text(name: &str, value: &Bound<'_, PyAny>) -> Result<Option<String>> {
    Argument::new(name, value).optional(Argument::text)
}

/// Shows every entry of a mapping with text keys.
pub(crate) fn for_each_entry(
    what: &str,
    mapping: &Bound<'_, PyAny>,
    mut each: impl FnMut(&str, &Bound<'_, PyAny>) -> Result<()>,
) -> Result<()> {
    let wrong = || Error::invalid(format!("{what} must be a mapping with str keys"));
    if let Ok(dict) = mapping.cast::<pyo3::types::PyDict>() {
        for (key, value) in dict {
            let key = key.cast::<PyString>().map_err(|_| wrong())?;
            each(key.to_str().map_err(|_| wrong())?, &value)?;
        }
        return Ok(());
    }
    let mapping = mapping.cast::<PyMapping>().map_err(|_| wrong())?;
    for entry in mapping.items().map_err(|_| wrong())? {
        let (key, value): (String, Bound<'_, PyAny>) = entry.extract().map_err(|_| wrong())?;
        each(&key, &value)?;
    }
    Ok(())
}
