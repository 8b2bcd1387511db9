/// The positions of keys and values of a TOML text, as a tree of its tables and arrays.
struct PositionTree {
    /// The position of one key and value, and those of its members. Members are indices into `positions`.
    struct Position {
        /// Bytes of the key; nil for the root and the elements of arrays.
        var key: Range<Int>?
        /// Bytes of the value; for a table under a `[header]`, those of the header.
        var value: Range<Int>
        /// Keys of a table in the order of the text.
        var names: [String] = []
        var entries: [String: Int] = [:]
        /// Elements of an array, or the tables of an array of tables.
        var elements: [Int] = []
    }

    private(set) var positions = [Position(key: nil, value: 0..<0)]
    let root = 0

    subscript(index: Int) -> Position {
        get { positions[index] }
        set { positions[index] = newValue }
    }

    /// The entry of that name; added if there is none.
    mutating func entry(_ name: String, in table: Int, key: Range<Int>) -> Int {
        if let known = positions[table].entries[name] { return known }
        let made = append(Position(key: key, value: key))
        positions[table].names.append(name)
        positions[table].entries[name] = made
        return made
    }

    /// Appends an element to an array.
    mutating func element(in array: Int, value: Range<Int>) -> Int {
        let made = append(Position(key: nil, value: value))
        positions[array].elements.append(made)
        return made
    }

    private mutating func append(_ place: Position) -> Int {
        positions.append(place)
        return positions.count - 1
    }
}
