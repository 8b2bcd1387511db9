package import Reactor

/// One field line of a head, as ranges into the bytes it was parsed from.
package struct Field: Sendable {
    package var name: ByteRange
    /// Without the white space around it.
    package var value: ByteRange
    /// From the first byte of the name through the line's CRLF.
    package var line: ByteRange
    package var kind: KnownField
    /// Named by `Connection`, or hop-by-hop by nature: not to be forwarded.
    package var isHopByHop: Bool

    package init(name: ByteRange, value: ByteRange, line: ByteRange, kind: KnownField, isHopByHop: Bool) {
        self.name = name
        self.value = value
        self.line = line
        self.kind = kind
        self.isHopByHop = isHopByHop
    }

    /// A place to parse into.
    static var blank: Field {
        Field(name: .empty, value: .empty, line: .empty, kind: .other, isHopByHop: false)
    }
}
