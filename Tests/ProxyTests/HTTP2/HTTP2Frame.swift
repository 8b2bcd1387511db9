/// HTTP/2 frames as bytes (RFC 9113 section 4.1), made and read without the proxy's own code.
struct HTTP2Frame {
    enum Kind: UInt8 {
        case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    enum Setting: UInt16 {
        case headerTableSize = 1
        case enablePush, concurrentStreams, initialWindow, maximumFrame, headerListSize
    }

    static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    static let endStream: UInt8 = 1
    static let acknowledgement: UInt8 = 1
    static let endHeaders: UInt8 = 4
    static let headerBytes = 9

    var kind: UInt8
    var flags: UInt8
    var stream: UInt32
    var payload: [UInt8]

    var endsStream: Bool { flags & HTTP2Frame.endStream != 0 }
    var isAcknowledgement: Bool { flags & HTTP2Frame.acknowledgement != 0 }
    /// The first four bytes of the payload.
    var number: UInt32 { HTTP2Frame.number(payload) }

    static func number(_ bytes: some Collection<UInt8>) -> UInt32 {
        bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    static func bytes(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }

    static func make(_ kind: Kind, flags: UInt8 = 0, stream: UInt32, _ payload: [UInt8] = []) -> [UInt8] {
        bytes(UInt32(payload.count)).dropFirst() + [kind.rawValue, flags] + bytes(stream) + payload
    }

    static func settings(_ settings: [(Setting, UInt32)]) -> [UInt8] {
        make(.settings, stream: 0, settings.flatMap { bytes(UInt32($0.0.rawValue)).dropFirst(2) + bytes($0.1) })
    }

    /// A header block as HEADERS and CONTINUATION frames.
    static func head(_ block: [UInt8], stream: UInt32, ends: Bool, piece: Int = 16_384) -> [UInt8] {
        var frames: [UInt8] = []
        var rest = block[...]
        repeat {
            let kind: Kind = rest.count == block.count ? .headers : .continuation
            let part = Array(rest.prefix(piece))
            rest = rest.dropFirst(piece)
            let flags = (kind == .headers && ends ? endStream : 0) | (rest.isEmpty ? endHeaders : 0)
            frames += make(kind, flags: flags, stream: stream, part)
        } while !rest.isEmpty
        return frames
    }
}

/// Cuts bytes that arrive in any pieces into frames.
struct HTTP2FrameReader {
    private var bytes: [UInt8] = []

    mutating func read(_ more: [UInt8]) -> [HTTP2Frame] {
        bytes += more
        var frames: [HTTP2Frame] = []
        var start = 0
        while bytes.count - start >= HTTP2Frame.headerBytes {
            let header = bytes[start..<start + HTTP2Frame.headerBytes]
            let length = Int(header[start]) << 16 | Int(header[start + 1]) << 8 | Int(header[start + 2])
            let end = start + HTTP2Frame.headerBytes + length
            guard bytes.count >= end else { break }
            frames.append(
                HTTP2Frame(
                    kind: header[start + 3], flags: header[start + 4],
                    stream: HTTP2Frame.number(header.dropFirst(5)) & 0x7fff_ffff,
                    payload: Array(bytes[(start + HTTP2Frame.headerBytes)..<end])))
            start = end
        }
        bytes.removeFirst(start)
        return frames
    }
}
