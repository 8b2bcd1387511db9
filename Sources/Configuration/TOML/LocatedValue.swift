/// A value of a TOML text with the bytes it was written in.
package struct LocatedValue {
    package enum Content {
        case string(String)
        case integer(Int)
        case float(Double)
        case boolean(Bool)
        case date
        case array([LocatedValue])
        case table(LocatedTable)
    }

    package var content: Content
    /// Of a table under a `[header]`, the header.
    package var range: Range<Int>

    /// What it is, with an article, for an error.
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
    package struct Entry {
        package var name: String
        /// The bytes of the key, or of the last part of a dotted one.
        package var key: Range<Int>
        package var value: LocatedValue
    }

    package var entries: [Entry] = []

    package subscript(name: String) -> Entry? { entries.first { $0.name == name } }
}
