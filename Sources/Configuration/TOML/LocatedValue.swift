/// A TOML value with its position in the text.
package struct LocatedValue {
    /// The value by its TOML type.
    package enum Content {
        case string(String)
        case integer(Int)
        case float(Double)
        case boolean(Bool)
        case date
        case array([LocatedValue])
        case table(LocatedTable)
    }

    /// The value.
    package var content: Content
    /// The bytes of the value; for a table under a `[header]`, those of the header.
    package var range: Range<Int>

    /// The type with an article, for errors.
    package var kind: String {
        switch content {
        case .string: "text"
        case .integer: "a whole number"
        case .float: "a floating-point number"
        case .boolean: "a boolean"
        case .date: "a date"
        case .array: "a list"
        case .table: "a table"
        }
    }
}

/// A table with its entries in the order of the text.
package struct LocatedTable {
    /// A key with its value.
    package struct Entry {
        /// The key, unquoted.
        package var name: String
        /// The bytes of the key, or of the last part of a dotted key.
        package var key: Range<Int>
        /// The value.
        package var value: LocatedValue
    }

    /// The entries, with distinct names.
    package var entries: [Entry] = []

    /// The entry of that name.
    package subscript(name: String) -> Entry? { entries.first { $0.name == name } }
}
