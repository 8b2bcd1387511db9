/// Reads the wire format of Protocol Buffers for tests, independently of the writer.
struct ProtobufReader {
    enum Value: Equatable {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes([UInt8])
    }

    private(set) var fields: [(number: Int, value: Value)] = []

    /// Nil if the bytes are no message.
    init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let tag = Self.varint(&rest), let value = Self.value(&rest, type: tag & 7) else { return nil }
            fields.append((Int(tag >> 3), value))
        }
    }

    private static func value(_ rest: inout ArraySlice<UInt8>, type: UInt64) -> Value? {
        switch type {
        case 0: return varint(&rest).map(Value.varint)
        case 1: return number(&rest, bytes: 8).map(Value.fixed64)
        case 5: return number(&rest, bytes: 4).map { .fixed32(UInt32(truncatingIfNeeded: $0)) }
        case 2:
            guard let length = varint(&rest).map(Int.init), rest.count >= length else { return nil }
            defer { rest = rest.dropFirst(length) }
            return .bytes(Array(rest.prefix(length)))
        default: return nil
        }
    }

    private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 127) << shift
            if byte < 128 { return value }
        }
        return nil
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, bytes: Int) -> UInt64? {
        guard rest.count >= bytes else { return nil }
        defer { rest = rest.dropFirst(bytes) }
        return rest.prefix(bytes).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    // MARK: - By number

    func all(_ number: Int) -> [Value] { fields.filter { $0.number == number }.map(\.value) }

    func messages(_ number: Int) -> [ProtobufReader] {
        all(number).compactMap { if case .bytes(let bytes) = $0 { ProtobufReader(bytes) } else { nil } }
    }

    func text(_ number: Int) -> String? {
        guard case .bytes(let bytes)? = all(number).first else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    func digits(_ number: Int) -> String? {
        guard case .bytes(let bytes)? = all(number).first else { return nil }
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    func number(_ number: Int) -> UInt64? {
        switch all(number).first {
        case .varint(let value)?, .fixed64(let value)?: value
        case .fixed32(let value)?: UInt64(value)
        default: nil
        }
    }

    /// Key-value pairs of OpenTelemetry with this number, the values as text.
    func attributes(_ number: Int) -> [String: String] {
        messages(number).reduce(into: [:]) { pairs, pair in
            guard let key = pair.text(1), let value = pair.messages(2).first, let field = value.fields.first else {
                return
            }
            switch field.value {
            case .bytes(let bytes): pairs[key] = String(decoding: bytes, as: UTF8.self)
            case .fixed64(let bits): pairs[key] = "\(Double(bitPattern: bits))"
            case .varint(let bits): pairs[key] = field.number == 2 ? "\(bits == 1)" : "\(bits)"
            case .fixed32: break
            }
        }
    }
}
