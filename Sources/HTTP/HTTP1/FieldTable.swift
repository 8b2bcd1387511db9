import Reactor

/// The field lines of one head in order, in place: no allocation however many there are.
package struct FieldTable: ~Copyable {
    package static var capacity: Int { 128 }
    private var storage: InlineArray<128, Field>
    package private(set) var count = 0

    package init() {
        storage = InlineArray(
            repeating: Field(name: .empty, value: .empty, line: .empty, kind: .other, isHopByHop: false))
    }

    package subscript(index: Int) -> Field {
        get { storage[index] }
        set { storage[index] = newValue }
    }

    package mutating func append(_ field: Field) {
        storage[count] = field
        count += 1
    }

    package mutating func removeAll() {
        count = 0
    }
}
