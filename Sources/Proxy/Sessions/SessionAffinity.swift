import Kernel
import MCP
import Reactor
import TLS

/// Who has a session.
enum SessionOwner {
    /// The endpoint with this index, by an id that was made then (seconds since 1970).
    case server(Int, issuedAt: UInt32)
    /// Nobody: forged, sealed with a key that is gone, for a server that is gone, or never heard of.
    case unknown
}

/// Tells whose a session is, and makes the ids by which that can be told. One per worker, by value; what workers must
/// share about learned ids is in the table, behind locks.
struct SessionAffinity {
    private let keys: [SigningKey]
    private let affinities: [SessionAffinityMode]
    private let ranges: [Range<Int>]
    private let idle: [Interval]
    private let tags: [UInt64]
    private let learned: LearnedSessions?

    init(_ snapshot: Snapshot) {
        keys = snapshot.keys
        affinities = snapshot.upstreams.map(\.affinity)
        ranges = snapshot.upstreams.map(\.servers)
        idle = snapshot.upstreams.map(\.sessionIdle)
        tags = snapshot.servers.map(\.tag)
        learned = snapshot.learned
    }

    func affinity(_ upstream: Int) -> SessionAffinityMode { affinities[upstream] }

    /// The owner of a Streamable HTTP session, by the id the client sent.
    func owner(
        ofSession buffer: borrowing ByteBuffer, _ range: Range<Int>, in upstream: Int, now: Instant
    ) -> SessionOwner {
        let text = buffer.span.extracting(range)
        switch affinities[upstream] {
        case .learned:
            return lookUp(text, in: upstream, now: now)
        case .signed:
            guard let (signed, id) = SignedSessionID.parse(text) else { return .unknown }
            return verify(signed, covering: text.extracting(id), in: upstream)
        case .off:
            return .unknown
        }
    }

    /// The owner of an HTTP+SSE session, by the target of a message: our seal in its query, or the server's own
    /// parameter if ids are learned.
    func owner(
        ofLegacy buffer: borrowing ByteBuffer, _ range: Range<Int>, in upstream: Int, now: Instant
    ) -> SessionOwner {
        let target = buffer.span.extracting(range)
        switch affinities[upstream] {
        case .learned:
            guard let value = LegacyTarget.sessionParameter(in: target) else { return .unknown }
            return lookUp(target.extracting(value), in: upstream, now: now)
        case .signed:
            guard let (cut, value) = LegacyTarget.signatureParameter(in: target),
                let signed = SignedSessionID.parseParameter(target.extracting(value))
            else { return .unknown }
            // The seal is appended last; what stands before it is what it vouches for.
            return verify(signed, covering: target.extracting(0..<cut.lowerBound), in: upstream)
        case .off:
            return .unknown
        }
    }

    private func verify(_ signed: SignedSessionID, covering bytes: Span<UInt8>, in upstream: Int) -> SessionOwner {
        for key in keys where key.id == signed.keyID {
            guard signed.hasTag(SessionAffinity.tag(signed, covering: bytes, with: key)) else { continue }
            for server in ranges[upstream] where tags[server] == signed.serverTag {
                return .server(server, issuedAt: signed.issuedAt)
            }
        }
        return .unknown
    }

    private static func tag(_ signed: SignedSessionID, covering bytes: Span<UInt8>, with key: SigningKey) -> (
        UInt64, UInt64
    ) {
        let header = signed.authenticatedHeader()
        return key.authenticator.tag(header.bytes.span.extracting(0..<header.count), bytes)
    }

    /// Appends the sealed form of a server's id. False, with nothing appended, if there is no key or the id is none.
    func sign(
        _ buffer: borrowing ByteBuffer, _ range: Range<Int>, for server: Int, issuedAt: UInt32,
        affinityKey: UInt64, to output: inout ByteBuffer
    ) -> Bool {
        let id = buffer.span.extracting(range)
        guard let key = keys.first, SessionIdentifier.isValid(id) else { return false }
        var signed = SignedSessionID(
            signing: id, keyID: key.id, serverTag: tags[server], issuedAt: issuedAt,
            affinityKey: affinityKey == 0 ? nil : affinityKey)
        // An id that is not carried verbatim is covered in its encoded form: what the parser sees is what is verified.
        if signed.carriesIDVerbatim {
            signed.tag = SessionAffinity.tag(signed, covering: id, with: key)
            return SessionAffinity.append(signed, id, to: &output)
        }
        let start = output.count
        guard SessionAffinity.append(signed, id, to: &output) else { return false }
        let prefix = signed.encodedPrefix().count
        signed.tag = SessionAffinity.tag(
            signed, covering: output.span.extracting((start + prefix)..<output.count), with: key)
        output.truncate(to: start)
        return SessionAffinity.append(signed, id, to: &output)
    }

    private static func append(_ signed: SignedSessionID, _ id: Span<UInt8>, to output: inout ByteBuffer) -> Bool {
        let length = signed.textLength(idLength: id.count)
        output.reserve(length)
        var space = output.space
        guard let written = signed.write(id: id, into: &space) else { return false }
        output.commit(written)
        return true
    }

    /// Appends the query parameter that vouches for a legacy endpoint, `target` being its path and query.
    func signEndpoint(_ target: [UInt8], for server: Int, issuedAt: UInt32, to output: inout ByteBuffer) {
        guard let key = keys.first else { return }
        var signed = SignedSessionID(
            legacyEndpointWithKeyID: key.id, serverTag: tags[server], issuedAt: issuedAt, affinityKey: nil)
        signed.tag = SessionAffinity.tag(signed, covering: target.span, with: key)
        output.append(LegacyTarget.signatureSeparator(for: target.span))
        output.append(LegacyTarget.signatureParameterName)
        output.append(UInt8(ascii: "="))
        let prefix = signed.encodedPrefix()
        for index in 0..<prefix.count { output.append(prefix.bytes[index]) }
    }

    /// The server's own id out of a sealed one that was verified before.
    static func appendID(of buffer: borrowing ByteBuffer, _ range: Range<Int>, to output: inout ByteBuffer) {
        let text = buffer.span.extracting(range)
        guard let (signed, inner) = SignedSessionID.parse(text) else { return }
        let id = text.extracting(inner)
        if signed.carriesIDVerbatim {
            output.append(id)
            return
        }
        output.reserve(512)
        var space = output.space
        if let count = SignedSessionID.decodeID(id, into: &space) { output.commit(count) }
    }

    /// Whether a sealed text the client sent is for the id that the server answers with.
    static func matches(
        _ signed: borrowing ByteBuffer, _ signedRange: Range<Int>, of plain: borrowing ByteBuffer,
        _ plainRange: Range<Int>
    ) -> Bool {
        let text = signed.span.extracting(signedRange)
        let id = plain.span.extracting(plainRange)
        guard let (signed, range) = SignedSessionID.parse(text) else { return false }
        guard signed.carriesIDVerbatim else { return isEncoding(text.extracting(range), of: id) }
        guard range.count == id.count else { return false }
        for index in 0..<id.count where text[range.lowerBound + index] != id[index] { return false }
        return true
    }

    private static func isEncoding(_ encoded: Span<UInt8>, of id: Span<UInt8>) -> Bool {
        var decoded = ByteBuffer(capacity: 512)
        var space = decoded.space
        guard let count = SignedSessionID.decodeID(encoded, into: &space), count == id.count else { return false }
        decoded.commit(count)
        let view = decoded.span
        for index in 0..<count where view[index] != id[index] { return false }
        return true
    }

    // MARK: - Learned

    private func lookUp(_ id: Span<UInt8>, in upstream: Int, now: Instant) -> SessionOwner {
        guard let found = learned?.find(id, now: now, idle: idle[upstream]), ranges[upstream].contains(found.server)
        else { return .unknown }
        return .server(found.server, issuedAt: found.learnedAt)
    }

    /// Remembers whose an id is. False if the table is full of sessions that are alive.
    func learn(_ id: [UInt8], server: Int, issuedAt: UInt32, in upstream: Int, now: Instant) -> Bool {
        learned?.insert(id.span, server: server, learnedAt: issuedAt, now: now, idle: idle[upstream]) ?? false
    }

    func forget(_ id: [UInt8]) {
        learned?.remove(id.span)
    }
}
