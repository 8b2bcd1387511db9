import Kernel
import MCP
import Reactor
import TLS

/// Who has a session.
enum SessionOwner {
    /// The endpoint with this index, by an id that was made then (seconds since 1970).
    case endpoint(Int, mintedAt: UInt32)
    /// Nobody: forged, sealed with a key that is gone, for a server that is gone, or never heard of.
    case unknown
}

/// Tells whose a session is, and makes the ids by which that can be told. One per worker, by value; what workers must
/// share about learned ids is in the table, behind locks.
struct SessionKeeper {
    private let keys: [SealingKey]
    private let identities: [IdentityRule]
    private let ranges: [Range<Int>]
    private let idle: [Interval]
    private let tags: [UInt64]
    private let learned: LearnedSessions?

    init(_ snapshot: Snapshot) {
        keys = snapshot.keys
        identities = snapshot.upstreams.map(\.identity)
        ranges = snapshot.upstreams.map(\.endpoints)
        idle = snapshot.upstreams.map(\.sessionIdle)
        tags = snapshot.endpoints.map(\.tag)
        learned = snapshot.learned
    }

    func identity(_ upstream: Int) -> IdentityRule { identities[upstream] }

    /// The owner of a Streamable HTTP session, by the id the client sent.
    func owner(
        ofSession buffer: borrowing ByteBuffer, _ range: Range<Int>, in upstream: Int, now: Instant
    ) -> SessionOwner {
        let text = buffer.span.extracting(range)
        switch identities[upstream] {
        case .learned:
            return recalled(text, in: upstream, now: now)
        case .sealed:
            guard let (seal, id) = Seal.parse(text) else { return .unknown }
            return verify(seal, covering: text.extracting(id), in: upstream)
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
        switch identities[upstream] {
        case .learned:
            guard let value = LegacyTarget.sessionParameter(in: target) else { return .unknown }
            return recalled(target.extracting(value), in: upstream, now: now)
        case .sealed:
            guard let (cut, value) = LegacyTarget.sealParameter(in: target),
                let seal = Seal.parseParameter(target.extracting(value))
            else { return .unknown }
            // The seal is appended last; what stands before it is what it vouches for.
            return verify(seal, covering: target.extracting(0..<cut.lowerBound), in: upstream)
        case .off:
            return .unknown
        }
    }

    private func verify(_ seal: Seal, covering bytes: Span<UInt8>, in upstream: Int) -> SessionOwner {
        for key in keys where key.id == seal.keyID {
            guard seal.hasTag(SessionKeeper.tag(seal, covering: bytes, with: key)) else { continue }
            for endpoint in ranges[upstream] where tags[endpoint] == seal.endpointTag {
                return .endpoint(endpoint, mintedAt: seal.mintedAt)
            }
        }
        return .unknown
    }

    private static func tag(_ seal: Seal, covering bytes: Span<UInt8>, with key: SealingKey) -> (UInt64, UInt64) {
        let header = seal.authenticatedHeader()
        return key.authenticator.tag(header.bytes.span.extracting(0..<header.count), bytes)
    }

    /// Appends the sealed form of a server's id. False, with nothing appended, if there is no key or the id is none.
    func seal(
        _ buffer: borrowing ByteBuffer, _ range: Range<Int>, for endpoint: Int, mintedAt: UInt32,
        affinityKey: UInt64, to output: inout ByteBuffer
    ) -> Bool {
        let id = buffer.span.extracting(range)
        guard let key = keys.first, SessionIdentifier.isValid(id) else { return false }
        var seal = Seal(
            sealing: id, keyID: key.id, endpointTag: tags[endpoint], mintedAt: mintedAt,
            affinityKey: affinityKey == 0 ? nil : affinityKey)
        // An id that is not carried verbatim is covered in its encoded form: what the parser sees is what is verified.
        if seal.carriesIDVerbatim {
            seal.tag = SessionKeeper.tag(seal, covering: id, with: key)
            return SessionKeeper.append(seal, id, to: &output)
        }
        let start = output.count
        guard SessionKeeper.append(seal, id, to: &output) else { return false }
        let prefix = seal.encodedPrefix().count
        seal.tag = SessionKeeper.tag(seal, covering: output.span.extracting((start + prefix)..<output.count), with: key)
        output.truncate(to: start)
        return SessionKeeper.append(seal, id, to: &output)
    }

    private static func append(_ seal: Seal, _ id: Span<UInt8>, to output: inout ByteBuffer) -> Bool {
        let length = seal.textLength(idLength: id.count)
        output.reserve(length)
        var space = output.space
        guard let written = seal.write(id: id, into: &space) else { return false }
        output.commit(written)
        return true
    }

    /// Appends the query parameter that vouches for a legacy endpoint, `target` being its path and query.
    func sealEndpoint(_ target: [UInt8], for endpoint: Int, mintedAt: UInt32, to output: inout ByteBuffer) {
        guard let key = keys.first else { return }
        var seal = Seal(
            legacyEndpointWithKeyID: key.id, endpointTag: tags[endpoint], mintedAt: mintedAt, affinityKey: nil)
        seal.tag = SessionKeeper.tag(seal, covering: target.span, with: key)
        output.append(LegacyTarget.sealSeparator(for: target.span))
        output.append(LegacyTarget.sealParameterName)
        output.append(UInt8(ascii: "="))
        let prefix = seal.encodedPrefix()
        for index in 0..<prefix.count { output.append(prefix.bytes[index]) }
    }

    /// The server's own id out of a sealed one that was verified before.
    static func appendID(of buffer: borrowing ByteBuffer, _ range: Range<Int>, to output: inout ByteBuffer) {
        let text = buffer.span.extracting(range)
        guard let (seal, inner) = Seal.parse(text) else { return }
        let id = text.extracting(inner)
        if seal.carriesIDVerbatim {
            output.append(id)
            return
        }
        output.reserve(512)
        var space = output.space
        if let count = Seal.decodeID(id, into: &space) { output.commit(count) }
    }

    /// Whether a sealed text the client sent is for the id that the server answers with.
    static func isSeal(
        _ sealed: borrowing ByteBuffer, _ sealedRange: Range<Int>, of plain: borrowing ByteBuffer,
        _ plainRange: Range<Int>
    ) -> Bool {
        let text = sealed.span.extracting(sealedRange)
        let id = plain.span.extracting(plainRange)
        guard let (seal, range) = Seal.parse(text) else { return false }
        guard seal.carriesIDVerbatim else { return isEncoding(text.extracting(range), of: id) }
        guard range.count == id.count else { return false }
        for index in 0..<id.count where text[range.lowerBound + index] != id[index] { return false }
        return true
    }

    private static func isEncoding(_ encoded: Span<UInt8>, of id: Span<UInt8>) -> Bool {
        var decoded = ByteBuffer(capacity: 512)
        var space = decoded.space
        guard let count = Seal.decodeID(encoded, into: &space), count == id.count else { return false }
        decoded.commit(count)
        let view = decoded.span
        for index in 0..<count where view[index] != id[index] { return false }
        return true
    }

    // MARK: - Learned

    private func recalled(_ id: Span<UInt8>, in upstream: Int, now: Instant) -> SessionOwner {
        guard let found = learned?.find(id, now: now, idle: idle[upstream]), ranges[upstream].contains(found.endpoint)
        else { return .unknown }
        return .endpoint(found.endpoint, mintedAt: found.learnedAt)
    }

    /// Remembers whose an id is. False if the table is full of sessions that are alive.
    func learn(_ id: [UInt8], endpoint: Int, mintedAt: UInt32, in upstream: Int, now: Instant) -> Bool {
        learned?.insert(id.span, endpoint: endpoint, learnedAt: mintedAt, now: now, idle: idle[upstream]) ?? false
    }

    func forget(_ id: [UInt8]) {
        learned?.remove(id.span)
    }
}
