import Tokens

/// Who has sent a request, as a verified token or key says. Shared by the exchanges of one token.
package final class CallerIdentity: Sendable {
    /// What its sessions are tied to.
    let subject: SubjectDigest
    let scopes: Set<String>
    /// Whole field lines that servers get.
    let lines: [UInt8]
    /// Claims by which requests are counted: names and values.
    private let counted: [(name: [UInt8], value: [UInt8])]

    init(_ token: VerifiedToken, fields: [ClaimField], counted names: [String] = []) {
        let digest = token.subjectDigest
        subject = SubjectDigest(high: digest.0, low: digest.1)
        scopes = token.scopes
        var lines: [UInt8] = []
        for field in fields {
            guard let text = token.claims[field.claim], text.utf8.count <= Self.longestClaim else { continue }
            lines += field.name + Array(": ".utf8) + Self.fieldValue(text) + Array("\r\n".utf8)
        }
        self.lines = lines
        // Of the subject the digest counts, which has the issuer in it.
        counted = names.compactMap { name in
            name == "sub" ? nil : token.claims[name].map { (Array(name.utf8), Array($0.utf8)) }
        }
    }

    /// The value of a claim by which requests are counted; nil if the caller has none, and of the subject.
    func countedClaim(_ name: [UInt8]) -> [UInt8]? {
        for claim in counted where claim.name == name { return claim.value }
        return nil
    }

    /// Bytes of a claim that is forwarded; longer ones are left out.
    private static var longestClaim: Int { 1_024 }

    /// A claim as the value of a field (RFC 9110 section 5.5): bytes that are not visible ASCII, blanks at either end and percent
    /// signs are percent-encoded, so that every text has one spelling and none can end the line.
    static func fieldValue(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        var value: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            let isEdge = index == 0 || index == bytes.count - 1
            if (0x21...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                value.append(byte)
            } else if byte == 0x20, !isEdge {
                value.append(byte)
            } else {
                value.append(UInt8(ascii: "%"))
                for digit in [byte >> 4, byte & 15] { value.append(digit < 10 ? 0x30 + digit : 0x37 + digit) }
            }
        }
        return value
    }
}

/// A header field that carries a claim.
package struct ClaimField: Sendable {
    /// In lower case.
    let name: [UInt8]
    let claim: String
}
