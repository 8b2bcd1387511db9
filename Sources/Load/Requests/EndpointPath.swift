import ASCII

/// The data of an `endpoint` event: a path, or a URL of the same origin (MCP 2024-11-05, "HTTP with SSE").
enum EndpointPath {
    /// The path and query within `data`; nil if it has another origin, is longer than 8 KiB or not printable ASCII.
    static func path(_ data: Span<UInt8>, from target: Target) -> Range<Int>? {
        guard data.count > 0, data.count <= 8_192 else { return nil }
        for index in 0..<data.count where data[index] <= 0x20 || data[index] >= 0x7f { return nil }
        if data[0] == UInt8(ascii: "/") { return 0..<data.count }
        let origin = Array("\(target.isSecure ? "https" : "http")://\(target.authority)/".utf8)
        guard data.count >= origin.count, data.extracting(0..<origin.count).equals(origin.span) else { return nil }
        return (origin.count - 1)..<data.count
    }
}
