import TestSupport

/// One frame in its wire format (RFC 9113 section 4.1), valid or not.
struct RawFrame: Equatable {
    typealias Kind = HTTP2FrameType
    static let endStream: UInt8 = 1
    static let acknowledgement: UInt8 = 1
    static let endHeaders: UInt8 = 4

    var kind: UInt8
    var flags: UInt8 = 0
    var stream: UInt32 = 0
    var payload: [UInt8] = []

    var bytes: [UInt8] {
        [UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255), kind, flags]
            + fourBytes(stream) + payload
    }

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + RawFrame(kind: Kind.settings).bytes

    static func headers(
        _ stream: UInt32, _ fields: [(String, String)], endsStream: Bool = true
    ) -> RawFrame {
        RawFrame(
            kind: Kind.headers, flags: endHeaders | (endsStream ? endStream : 0), stream: stream,
            payload: fields.flatMap { literal($0.0, $0.1) })
    }

    static func data(_ stream: UInt32, _ payload: [UInt8], endsStream: Bool = false) -> RawFrame {
        RawFrame(kind: Kind.data, flags: endsStream ? endStream : 0, stream: stream, payload: payload)
    }

    static func reset(_ stream: UInt32, code: UInt32 = 8) -> RawFrame {
        RawFrame(kind: Kind.reset, stream: stream, payload: fourBytes(code))
    }

    static func windowUpdate(_ stream: UInt32, by count: UInt32) -> RawFrame {
        RawFrame(kind: Kind.windowUpdate, stream: stream, payload: fourBytes(count))
    }

    /// Splits bytes into frames. An incomplete frame at the end is left out.
    static func all(in bytes: [UInt8]) -> [RawFrame] {
        var frames: [RawFrame] = []
        var rest = bytes[...]
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            let count = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            guard rest.count >= 9 + count else { break }
            let stream = head[5...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            frames.append(
                RawFrame(
                    kind: head[3], flags: head[4], stream: stream & 0x7fff_ffff,
                    payload: Array(rest.dropFirst(9).prefix(count))))
            rest = rest.dropFirst(9 + count)
        }
        return frames
    }

    /// A literal field without indexing (RFC 7541 section 6.2.2).
    static func literal(_ name: String, _ value: String) -> [UInt8] {
        [0] + string(name) + string(value)
    }

    /// A literal field with incremental indexing (RFC 7541 section 6.2.1).
    static func indexed(_ name: String, _ value: String) -> [UInt8] {
        [0x40] + string(name) + string(value)
    }

    private static func string(_ text: String) -> [UInt8] {
        let bytes = text.unicodeScalars.map { UInt8($0.value) }
        var prefix: [UInt8] = []
        if bytes.count < 127 {
            prefix = [UInt8(bytes.count)]
        } else {
            prefix = [127]
            var rest = bytes.count - 127
            while rest >= 128 {
                prefix.append(UInt8(rest & 127) | 128)
                rest >>= 7
            }
            prefix.append(UInt8(rest))
        }
        return prefix + bytes
    }
}

func fourBytes(_ value: UInt32) -> [UInt8] {
    [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
}

/// The pseudo-header fields of an ordinary request.
let plainGet = [(":method", "GET"), (":scheme", "https"), (":authority", "a.example"), (":path", "/mcp")]
let plainPost = [(":method", "POST"), (":scheme", "https"), (":authority", "a.example"), (":path", "/mcp")]
