/// Where the keys and values of a TOML text stand, in the shape of its tables and arrays.
struct PositionTree {
    struct Position {
        /// Bytes of the key; nil for the root and the elements of arrays.
        var key: Range<Int>?
        /// Bytes of the value; of a table under a `[header]`, the header.
        var value: Range<Int>
        /// Keys of a table in the order of the text.
        var names: [String] = []
        var entries: [String: Int] = [:]
        /// Elements of an array, or the tables of an array of tables.
        var elements: [Int] = []
    }

    private(set) var places = [Position(key: nil, value: 0..<0)]
    let root = 0

    subscript(index: Int) -> Position {
        get { places[index] }
        set { places[index] = newValue }
    }

    /// The entry of that name, made if there is none.
    mutating func entry(_ name: String, in table: Int, key: Range<Int>) -> Int {
        if let known = places[table].entries[name] { return known }
        let made = append(Position(key: key, value: key))
        places[table].names.append(name)
        places[table].entries[name] = made
        return made
    }

    /// A new element at the end of an array.
    mutating func element(in array: Int, value: Range<Int>) -> Int {
        let made = append(Position(key: nil, value: value))
        places[array].elements.append(made)
        return made
    }

    private mutating func append(_ place: Position) -> Int {
        places.append(place)
        return places.count - 1
    }
}
