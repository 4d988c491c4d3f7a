//! As much of the wire format of Protocol Buffers as it takes to read spans.

/// A message: the numbers of its fields and their values, in the order in which they were sent.
#[derive(Debug)]
pub(crate) struct Message(Vec<(u64, Value)>);

#[derive(Debug)]
enum Value {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Message {
    pub(crate) fn read(mut bytes: &[u8]) -> Self {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = number(&mut bytes);
            let value = match key & 7 {
                0 => Value::Number(number(&mut bytes)),
                1 => Value::Number(u64::from_le_bytes(take(&mut bytes, 8).try_into().unwrap())),
                2 => {
                    let length = usize::try_from(number(&mut bytes)).unwrap();
                    Value::Bytes(take(&mut bytes, length).to_vec())
                }
                5 => Value::Number(u32::from_le_bytes(take(&mut bytes, 4).try_into().unwrap()).into()),
                kind => panic!("a field of kind {kind}"),
            };
            fields.push((key >> 3, value));
        }
        Self(fields)
    }

    fn all(&self, field: u64) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |(number, _)| *number == field).map(|(_, value)| value)
    }

    /// The messages of a repeated field.
    pub(crate) fn messages(&self, field: u64) -> Vec<Self> {
        self.all(field).map(|value| Self::read(value.bytes())).collect()
    }

    pub(crate) fn message(&self, field: u64) -> Option<Self> {
        self.messages(field).pop()
    }

    pub(crate) fn number(&self, field: u64) -> Option<u64> {
        self.all(field).last().map(|value| match value {
            Value::Number(number) => *number,
            Value::Bytes(_) => panic!("field {field} is no number"),
        })
    }

    /// Bytes in hexadecimal digits; empty if the field is not there.
    pub(crate) fn hex(&self, field: u64) -> String {
        let bytes = self.all(field).last().map_or(&[][..], Value::bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn text(&self, field: u64) -> Option<String> {
        self.all(field).last().map(|value| String::from_utf8(value.bytes().to_vec()).unwrap())
    }
}

impl Value {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(_) => panic!("a number instead of bytes"),
        }
    }
}

fn number(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return number;
        }
    }
    panic!("a number without an end");
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    taken
}
