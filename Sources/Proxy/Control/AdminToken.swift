package import Configuration

/// What changes on the admin address need: a bearer token (RFC 6750).
package struct AdminToken: Sendable {
    private let bytes: [UInt8]

    /// Reads the token. Throws if its file cannot be used, or others may read it.
    package init(_ source: TokenSource) throws(StartError) {
        switch source {
        case .text(let text): bytes = Array(text.utf8)
        case .file(let path): bytes = try AdminToken.read(path)
        }
    }

    private static func read(_ path: String) throws(StartError) -> [UInt8] {
        guard let contents = try SecretFile.read(path, "file of the admin token") else {
            throw StartError("there is no \(path) with the admin token")
        }
        let line = contents.bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard line.count >= TokenSource.minimumLength, line.allSatisfy({ 0x21...0x7e ~= $0 }) else {
            throw StartError(
                "the first line of \(path) is no token: \(TokenSource.minimumLength) characters or more, without blanks"
            )
        }
        return Array(line)
    }

    /// Why the token of an existing file cannot be used; nil if it can.
    package static func problem(with path: String) -> String? {
        do throws(StartError) {
            _ = try read(path)
            return nil
        } catch {
            return error.description
        }
    }

    /// What clients put into Authorization.
    package var credentials: String { "Bearer \(String(decoding: bytes, as: UTF8.self))" }

    /// Whether a field of Authorization has this token. The time does not depend on where they differ.
    package func matches(_ field: String) -> Bool {
        let shown = Array(field.utf8)
        let expected = Array(credentials.utf8)
        guard shown.count == expected.count else { return false }
        return zip(shown, expected).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
