import ASCII
import Crypto

/// Static keys of callers, of which only the SHA-256 is kept. A line of the file is `NAME HASH [SCOPE ...]`, the hash in hexadecimal;
/// empty lines and those that begin with `#` say nothing.
///
/// One hash without a salt is enough for keys that are random: nobody tries 2^128 of them. Passwords do not belong here.
package struct APIKeys: Sendable, Equatable {
    /// What keeps a file from being used.
    package enum Failure: Error, Equatable {
        case notText
        /// The line, counted from 1, is not `NAME HASH [SCOPE ...]`.
        case line(Int)
        /// The line has a name or a hash that stands above.
        case duplicate(Int)
        case tooMany
    }

    private var callers: [[UInt8]: VerifiedToken] = [:]

    /// Bytes of a file that are read, at most.
    package static let maximumBytes = 1 << 20
    static let maximumKeys = 10_000

    /// No keys.
    package init() {}

    /// The keys of a file. `issuer` stands for the file in what is known of its callers.
    package init(file bytes: [UInt8], issuer: String) throws(Failure) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notText }
        var names: Set<String> = []
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map(String.init)
            guard let name = words.first, !name.hasPrefix("#") else { continue }
            guard words.count >= 2, let hash = Self.hash(words[1]) else { throw .line(number) }
            guard names.insert(name).inserted, callers[hash] == nil else { throw .duplicate(number) }
            guard callers.count < Self.maximumKeys else { throw .tooMany }
            callers[hash] = VerifiedToken(
                issuer: issuer, subject: name, scopes: Set(words.dropFirst(2)), claims: ["sub": name])
        }
    }

    /// How many there are.
    package var count: Int { callers.count }

    /// Whose key this is.
    package func caller(with key: [UInt8]) -> VerifiedToken? {
        callers.isEmpty ? nil : callers[Array(SHA256.hash(data: key))]
    }

    private static func hash(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            guard let high = digits[index].hexadecimalValue, let low = digits[index + 1].hexadecimalValue else {
                return nil
            }
            bytes.append(UInt8(high) << 4 | UInt8(low))
        }
        return bytes
    }
}
