import COpenSSL

/// The dashboard: one HTML document with its style and script inside, which loads nothing but what its own address answers.
package struct DashboardPage: Sendable {
    /// The document, UTF-8.
    package let html: String
    /// The value of Content-Security-Policy (CSP Level 3): nothing runs or styles but the two blocks of this document, known by
    /// their hashes, and nothing is asked for but this address.
    package let policy: String

    /// The one page there is.
    package static let standard = DashboardPage()

    private init() {
        let style = String(decoding: PackageResources.style_css, as: UTF8.self)
        let script = Self.script
        html = String(decoding: PackageResources.page_html, as: UTF8.self)
            .inserting(style, between: "<style>", "</style>").inserting(script, between: "<script>", "</script>")
        policy = """
            default-src 'none'; style-src \(Self.source(style)); script-src \(Self.source(script)); connect-src 'self'; \
            img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
            """
    }

    /// The parts of the script in the order in which they build on each other.
    private static var script: String {
        let parts: [[UInt8]] = [
            PackageResources.format_js, PackageResources.dom_js, PackageResources.history_js,
            PackageResources.receive_js,
            PackageResources.overview_js, PackageResources.servers_js, PackageResources.server_js,
            PackageResources.tools_js, PackageResources.calls_js, PackageResources.sessions_js,
            PackageResources.setup_js, PackageResources.changes_js, PackageResources.configuration_js,
            PackageResources.start_js,
        ]
        return parts.reduce("\"use strict\";\n") { $0 + String(decoding: $1, as: UTF8.self) }
    }

    /// A hash source (CSP Level 3 section 2.3.1): SHA-256 in base64.
    static func source(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        _ = SHA256(bytes, bytes.count, &digest)
        return "'sha256-\(base64(digest))'"
    }

    /// Base64 with padding (RFC 4648 section 4).
    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let word = (0..<3).reduce(0) { $0 << 8 | ($1 < group.count ? Int(group[start + $1]) : 0) }
            for place in 0..<4 {
                text.append(place <= group.count ? alphabet[word >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension String {
    /// Puts a text between two others that stand next to each other.
    fileprivate func inserting(_ text: String, between start: String, _ end: String) -> String {
        let bytes = Array(utf8)
        let mark = Array((start + end).utf8)
        guard let place = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }) else { return self }
        let split = place + start.utf8.count
        return String(decoding: bytes[..<split] + Array(text.utf8) + bytes[split...], as: UTF8.self)
    }
}
