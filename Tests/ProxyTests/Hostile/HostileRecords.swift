import Testing

/// Bytes of a hostile client at a listener that speaks TLS (RFC 8446).
struct HostileRecords: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// Type, level and description of an alert in clear, or a status; `closed` or `open`.
    let hears: String

    var testDescription: String { name }

    init(_ name: String, _ bytes: [UInt8], _ hears: String) {
        self.name = name
        self.bytes = bytes
        self.hears = hears
    }

    private static func record(_ type: UInt8, _ body: [UInt8], version: [UInt8] = [3, 1], length: Int? = nil) -> [UInt8]
    {
        let length = length ?? body.count
        return [type] + version + [UInt8(length >> 8), UInt8(length & 255)] + body
    }

    /// A ClientHello of TLS 1.2 without extensions.
    private static func hello(version: [UInt8] = [3, 3], ciphers: [UInt8] = [0xC0, 0x2F], extensions: [UInt8] = [])
        -> [UInt8]
    {
        let body =
            version + [UInt8](repeating: 7, count: 32) + [0] + [UInt8(ciphers.count >> 8), UInt8(ciphers.count & 255)]
            + ciphers + [1, 0]
            + (extensions.isEmpty ? [] : [UInt8(extensions.count >> 8), UInt8(extensions.count & 255)] + extensions)
        return [1, 0, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    }

    static let all: [HostileRecords] = [
        HostileRecords("tls: HTTP in clear", Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), "400 plain_http, closed"),
        HostileRecords(
            "tls: a hello of SSL 2", [0x80, 0x2E, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10] + [UInt8](repeating: 1, count: 37),
            "alert 2 70, closed"),
        HostileRecords(
            "tls: a hello of SSL 3", record(22, hello(version: [3, 0]), version: [3, 0]), "alert 2 40, closed"),
        HostileRecords("tls: a hello of TLS 1.1", record(22, hello(version: [3, 2])), "alert 2 70, closed"),
        HostileRecords("tls: ciphers that nobody has", record(22, hello(ciphers: [0, 1, 0, 2])), "alert 2 40, closed"),
        HostileRecords("tls: a hello of no ciphers", record(22, hello(ciphers: [])), "alert 2 47, closed"),
        HostileRecords(
            "tls: extensions that are cut off", record(22, hello(extensions: [0, 0, 0xff, 0xff])), "alert 2 50, closed"),
        HostileRecords(
            "tls: a record of 65,535 bytes", record(22, [1, 0, 0xff, 0xff], length: 65_535), "alert 2 22, closed"),
        HostileRecords("tls: a record of an unknown type", record(99, [1, 2, 3]), "alert 2 10, closed"),
        HostileRecords(
            "tls: data before the handshake", record(23, [1, 2, 3], version: [3, 3]), "alert 2 10, closed"),
        HostileRecords(
            "tls: a heartbeat before the handshake", record(24, [1, 0x40, 0, 1], version: [3, 3]), "alert 2 10, closed"),
        HostileRecords("tls: an alert at once", record(21, [2, 40]), "alert 2 10, closed"),
        HostileRecords(
            "tls: a hello that does not end", record(22, [1, 0, 0x10, 0] + [UInt8](repeating: 3, count: 50)), "closed"),
        HostileRecords(
            "tls: a hello that says it has 16 MiB", record(22, [1, 0xff, 0xff, 0xff, 3, 3]), "alert 2 47, closed"),
        HostileRecords("tls: 3,000 empty records", (0..<3_000).flatMap { _ in record(22, []) }, "alert 2 10, closed"),
        HostileRecords(
            "tls: a finished message first", record(22, [20, 0, 0, 12] + [UInt8](repeating: 0, count: 12)),
            "alert 2 10, closed"),
        HostileRecords("tls: zeros", [UInt8](repeating: 0, count: 4_000), "closed"),
    ]

    /// What a client hears of the bytes that came, told as `hears` is.
    static func told(_ received: [UInt8], isOver: Bool) -> String {
        var told: [String] = []
        if received.starts(with: Array("HTTP/1.1 ".utf8)) {
            var reader = MessageReader(responsesTo: ["GET"])
            reader.read(received)
            told = reader.complete.map { $0.verdict }
        } else if received.count >= 7, received[0] == 21 {
            told = ["alert \(received[5]) \(received[6])"]
        } else if !received.isEmpty {
            told = ["record \(received[0])"]
        }
        return (told + [isOver ? "closed" : "open"]).joined(separator: ", ")
    }
}
