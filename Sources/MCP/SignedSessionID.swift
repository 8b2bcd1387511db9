import ASCII

/// A server's session id together with the server's tag and a signature (HMAC). The id itself says which server owns
/// the session, so that no table is needed, a restart loses nothing, and every Berth with the same key routes it alike.
/// The id is authenticated but not encrypted.
///
/// The text that a client gets is `b1.<fixed part>.<id>`. The fixed part, in base64url:
///
///     field      bytes
///     flags      1      version 1 in the high four bits; 1: affinity key present, 2: id encoded, 4: legacy endpoint,
///                           8: bound to a subject, whose digest the signature covers as well
///     key id     1      the key of the signature
///     server     8      the tag of the server
///     issued at  4      seconds since 1970
///     affinity   8      only with flag 1
///     tag       16      the signature, computed by the caller
///
/// Numbers are big-endian. The text has only the characters `A-Z a-z 0-9 . _ -`. It is 44 or 55 characters longer than
/// an id of these characters, such as those of all SDKs; any other id is encoded in base64url and grows by another
/// third. In an HTTP+SSE session the signed text is a query parameter, `b1.<fixed part>`, whose signature covers the
/// path and query that it is appended to.
///
/// This type neither computes nor verifies signatures. The tag must cover `authenticatedHeader()` followed by the
/// server's id (or the path and query); the caller computes it and compares with `hasTag`. The encoding is unique: any
/// changed character is refused by the parser or changes the authenticated bytes.
package struct SignedSessionID: Sendable {
    /// What is signed: a session id, or the endpoint of an HTTP+SSE session. The signature covers the purpose, so one
    /// cannot be used as the other.
    package enum Purpose: Sendable { case session, legacyEndpoint }

    /// What is signed.
    package let purpose: Purpose
    /// Whether the text has the id as the server issued it. Otherwise it is in base64url, for `decodeID`.
    package let carriesIDVerbatim: Bool
    /// Identifies the signing key among those of the fleet.
    package var keyID: UInt8
    /// The tag of the server that owns the session.
    package var serverTag: UInt64
    /// When the id was signed, in seconds since 1970. Sessions issued before their server last went down are lost.
    package var issuedAt: UInt32
    /// The key by which the session-hash selection chose the server.
    package var affinityKey: UInt64?
    /// Whether the signature covers a caller's digest too, which the caller of this type knows and the text has not.
    package var isBound = false
    /// The signature's 16 bytes, as two big-endian halves. Zero until the caller has computed it.
    package var tag: (UInt64, UInt64) = (0, 0)

    /// The longest text that is parsed, in bytes: the longest id of a server, encoded and signed.
    package static var maximumTextLength: Int { 87_500 }

    /// A signed id for a server's session id, still without its tag. `SessionIdentifier.isValid` must hold for the id.
    package init(
        signing id: Span<UInt8>, keyID: UInt8, serverTag: UInt64, issuedAt: UInt32, affinityKey: UInt64? = nil
    ) {
        self.init(
            .session, verbatim: SessionIdentifier.isPlain(id), keyID: keyID, serverTag: serverTag,
            issuedAt: issuedAt, affinityKey: affinityKey)
    }

    /// A signed endpoint of an HTTP+SSE session, still without its tag.
    package init(
        legacyEndpointWithKeyID keyID: UInt8, serverTag: UInt64, issuedAt: UInt32, affinityKey: UInt64? = nil
    ) {
        self.init(
            .legacyEndpoint, verbatim: true, keyID: keyID, serverTag: serverTag, issuedAt: issuedAt,
            affinityKey: affinityKey)
    }

    private init(
        _ purpose: Purpose, verbatim: Bool, keyID: UInt8, serverTag: UInt64, issuedAt: UInt32, affinityKey: UInt64?
    ) {
        self.purpose = purpose
        carriesIDVerbatim = verbatim
        self.keyID = keyID
        self.serverTag = serverTag
        self.issuedAt = issuedAt
        self.affinityKey = affinityKey
    }

    /// Whether the tag equals `expected`. The time taken does not depend on where they differ.
    package func hasTag(_ expected: (UInt64, UInt64)) -> Bool {
        (tag.0 ^ expected.0) | (tag.1 ^ expected.1) == 0
    }
}

// MARK: - Writing

extension SignedSessionID {
    /// The bytes that the tag covers before the server's id (session) or the path and query (legacy endpoint). Their
    /// flags determine their length, so no byte can be moved between the two parts.
    package func authenticatedHeader() -> (bytes: InlineArray<24, UInt8>, count: Int) {
        var bytes = InlineArray<24, UInt8>(repeating: 0)
        bytes[0] = flags
        bytes[1] = keyID
        var count = 2
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes[count] = UInt8(truncatingIfNeeded: serverTag >> UInt64(shift))
            count += 1
        }
        for shift in stride(from: 24, through: 0, by: -8) {
            bytes[count] = UInt8(truncatingIfNeeded: issuedAt >> UInt32(shift))
            count += 1
        }
        guard let affinityKey else { return (bytes, count) }
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes[count] = UInt8(truncatingIfNeeded: affinityKey >> UInt64(shift))
            count += 1
        }
        return (bytes, count)
    }

    /// The text without the id: `b1.<fixed part>.` for a session, `b1.<fixed part>` for a legacy endpoint. `tag` must
    /// be set. If `carriesIDVerbatim`, the id follows unchanged; otherwise use `write`.
    package func encodedPrefix() -> (bytes: InlineArray<64, UInt8>, count: Int) {
        let header = authenticatedHeader()
        var fixed = InlineArray<40, UInt8>(repeating: 0)
        for index in 0..<header.count { fixed[index] = header.bytes[index] }
        for index in 0..<8 {
            let shift = UInt64(56 - 8 * index)
            fixed[header.count + index] = UInt8(truncatingIfNeeded: tag.0 >> shift)
            fixed[header.count + 8 + index] = UInt8(truncatingIfNeeded: tag.1 >> shift)
        }

        var text = InlineArray<64, UInt8>(repeating: 0)
        text[0] = UInt8(ascii: "b")
        text[1] = UInt8(ascii: "1")
        text[2] = UInt8(ascii: ".")
        var space = text.mutableSpan
        var count = Base64URL.encode(fixed.span.extracting(0..<(header.count + 16)), into: &space, at: 3)
        if purpose == .session {
            text[count] = UInt8(ascii: ".")
            count += 1
        }
        return (text, count)
    }

    /// The length in bytes of the text for an id of `idLength` bytes: the space that `write` needs.
    package func textLength(idLength: Int) -> Int {
        let fixed = 3 + Base64URL.encodedCount(of: affinityKey == nil ? 30 : 38)
        guard purpose == .session else { return fixed }
        return fixed + 1 + (carriesIDVerbatim ? idLength : Base64URL.encodedCount(of: idLength))
    }

    /// Writes the whole text at the start of `output` and returns its length; nil, with nothing written, if `output`
    /// has less space than `textLength(idLength:)`. The id must be the one given to `init`.
    package func write(id: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int? {
        guard output.count >= textLength(idLength: id.count) else { return nil }
        let prefix = encodedPrefix()
        for index in 0..<prefix.count { output[index] = prefix.bytes[index] }
        guard purpose == .session else { return prefix.count }
        guard carriesIDVerbatim else { return Base64URL.encode(id, into: &output, at: prefix.count) }
        for index in id.indices { output[prefix.count + index] = id[index] }
        return prefix.count + id.count
    }

    private var flags: UInt8 {
        Flag.version | (affinityKey == nil ? 0 : Flag.affinity) | (carriesIDVerbatim ? 0 : Flag.encoded)
            | (purpose == .session ? 0 : Flag.legacyEndpoint) | (isBound ? Flag.bound : 0)
    }

    fileprivate enum Flag {
        static let version: UInt8 = 0x10
        static let affinity: UInt8 = 1
        static let encoded: UInt8 = 2
        static let legacyEndpoint: UInt8 = 4
        static let bound: UInt8 = 8
    }
}

// MARK: - Reading

extension SignedSessionID {
    /// Parses the text of a session id; nil if `write` would not write this text. `id` is the range of the id in the
    /// text: the server's own if `carriesIDVerbatim`, otherwise for `decodeID`. The tag is parsed, not verified.
    package static func parse(_ text: Span<UInt8>) -> (signed: SignedSessionID, id: Range<Int>)? {
        guard text.count <= maximumTextLength, text.has("b1.", at: 0) else { return nil }
        // The fixed part has one of two lengths, so its end is known without a search.
        return parse(text, fixedCount: 40) ?? parse(text, fixedCount: 51)
    }

    private static func parse(_ text: Span<UInt8>, fixedCount: Int) -> (signed: SignedSessionID, id: Range<Int>)? {
        let dot = 3 + fixedCount
        guard text.count > dot + 1, text[dot] == UInt8(ascii: ".") else { return nil }
        guard let signed = decodeFixedPart(text.extracting(3..<dot)), signed.purpose == .session else { return nil }
        let id = (dot + 1)..<text.count
        let isIDWellFormed =
            signed.carriesIDVerbatim
            ? SessionIdentifier.isPlain(text.extracting(id)) : Base64URL.isCanonical(text.extracting(id))
        return isIDWellFormed ? (signed, id) : nil
    }

    /// Parses the value of the query parameter of an HTTP+SSE message; nil if it is malformed. The tag is parsed, not
    /// verified.
    package static func parseParameter(_ text: Span<UInt8>) -> SignedSessionID? {
        guard text.count == 43 || text.count == 54, text.has("b1.", at: 0) else { return nil }
        guard let signed = decodeFixedPart(text.extracting(3..<text.count)), signed.purpose == .legacyEndpoint else {
            return nil
        }
        return signed
    }

    /// Decodes an id that is not carried verbatim into `output` (as many bytes as are encoded are always enough) and returns its length;
    /// nil if no server can have issued it, or if it would be carried verbatim.
    package static func decodeID(_ encoded: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int? {
        guard let count = Base64URL.decode(encoded, into: &output) else { return nil }
        let id = output.span.extracting(0..<count)
        return SessionIdentifier.isValid(id) && !SessionIdentifier.isPlain(id) ? count : nil
    }

    private static func decodeFixedPart(_ text: Span<UInt8>) -> SignedSessionID? {
        var bytes = InlineArray<40, UInt8>(repeating: 0)
        var space = bytes.mutableSpan
        guard let count = Base64URL.decode(text, into: &space) else { return nil }
        let flags = bytes[0]
        guard flags & 0xF0 == Flag.version else { return nil }
        let hasAffinity = flags & Flag.affinity != 0
        guard count == (hasAffinity ? 38 : 30) else { return nil }
        let isLegacy = flags & Flag.legacyEndpoint != 0
        let isEncoded = flags & Flag.encoded != 0
        if isLegacy && isEncoded { return nil }

        let fixed = bytes.span
        var signed = SignedSessionID(
            isLegacy ? .legacyEndpoint : .session, verbatim: !isEncoded, keyID: bytes[1],
            serverTag: number(fixed, at: 2), issuedAt: UInt32(truncatingIfNeeded: number(fixed, at: 10) >> 32),
            affinityKey: hasAffinity ? number(fixed, at: 14) : nil)
        signed.isBound = flags & Flag.bound != 0
        signed.tag = (number(fixed, at: count - 16), number(fixed, at: count - 8))
        return signed
    }

    private static func number(_ bytes: Span<UInt8>, at offset: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in offset..<(offset + 8) { value = value << 8 | UInt64(bytes[index]) }
        return value
    }
}
