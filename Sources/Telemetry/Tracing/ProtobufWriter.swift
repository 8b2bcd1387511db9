/// Writes messages in the wire format of Protocol Buffers (protobuf.dev, "Encoding"): fields by their numbers, in the order of
/// the calls. Empty and zero values are left out, as proto3 does.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    private enum WireType: UInt64 { case varint = 0, fixed64 = 1, delimited = 2, fixed32 = 5 }

    init() {}

    /// Keeps the memory.
    mutating func clear() { bytes.removeAll(keepingCapacity: true) }

    /// An integer or an enumeration's number; a negative one as its 64 bits.
    mutating func varint(_ field: Int, _ value: UInt64) {
        guard value != 0 else { return }
        tag(field, .varint)
        append(varint: value)
    }

    /// A member of a `oneof`, which is written even if it is 0.
    mutating func integer(_ field: Int, _ value: UInt64) {
        tag(field, .varint)
        append(varint: value)
    }

    /// A `fixed64`, or a `double` by its bit pattern, which is written even if it is 0.
    mutating func fixed64(_ field: Int, _ value: UInt64) {
        tag(field, .fixed64)
        append(value, bytes: 8)
    }

    /// A `fixed32`.
    mutating func fixed32(_ field: Int, _ value: UInt32) {
        guard value != 0 else { return }
        tag(field, .fixed32)
        append(UInt64(value), bytes: 4)
    }

    /// A string, which must be valid UTF-8, as every `String` is.
    mutating func text(_ field: Int, _ value: String) {
        guard !value.isEmpty else { return }
        tag(field, .delimited)
        append(varint: UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// Bytes: numbers in network order, one after the other. For ids of 8 and 16 bytes.
    mutating func identifier(_ field: Int, _ words: UInt64...) {
        tag(field, .delimited)
        append(varint: UInt64(words.count * 8))
        for word in words { append(word.byteSwapped, bytes: 8) }
    }

    /// A message within this one, written by `body`. An empty one is written too.
    mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
        tag(field, .delimited)
        let start = bytes.count
        bytes.append(0)
        body(&self)
        let length = bytes.count - start - 1
        guard length >= 128 else {
            bytes[start] = UInt8(length)
            return
        }
        // The length takes more than the byte that was kept for it: what follows moves.
        bytes.replaceSubrange(start...start, with: Self.varint(UInt64(length)))
    }

    /// Whole fields, as another writer has written them.
    mutating func append(fields: [UInt8]) { bytes.append(contentsOf: fields) }

    private mutating func tag(_ field: Int, _ type: WireType) {
        append(varint: UInt64(field) << 3 | type.rawValue)
    }

    private mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 128 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.append(varint: value)
        return writer.bytes
    }

    /// The lowest `count` bytes of a number, the lowest first.
    private mutating func append(_ value: UInt64, bytes count: Int) {
        for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
}
