/// A reader of bytes that others send, with what must hold of it whatever the bytes are.
public struct FuzzTarget: Sendable {
    /// Its name, which is that of its folder in `Tests/Fuzzing/Corpus`.
    public let name: String
    /// The longest input that is worth reading, in bytes: checks read an input many times.
    public let maximumBytes: Int
    private let run: @Sendable ([UInt8]) throws(Finding) -> Void

    init(_ name: String, upTo maximumBytes: Int, _ run: @escaping @Sendable ([UInt8]) throws(Finding) -> Void) {
        self.name = name
        self.maximumBytes = maximumBytes
        self.run = run
    }

    /// What does not hold for an input; nil if everything does.
    public func finding(for bytes: [UInt8]) -> String? {
        do {
            try run(bytes)
            return nil
        } catch {
            return "\(name): \(error.message)"
        }
    }

    /// All targets, by name.
    public static let all: [FuzzTarget] = [
        FuzzTarget("http1-request", upTo: 600, HTTP1Checks.request),
        FuzzTarget("http1-response", upTo: 600, HTTP1Checks.response),
        FuzzTarget("chunks", upTo: 1_000, ChunkCheck.decode),
        FuzzTarget("proxy-header", upTo: 300, ProxyHeaderCheck.header),
        FuzzTarget("http2-server", upTo: 1_500, HTTP2Checks.server),
        FuzzTarget("http2-client", upTo: 1_500, HTTP2Checks.client),
        FuzzTarget("event-stream", upTo: 600, EventStreamCheck.stream),
        FuzzTarget("json", upTo: 500, JSONCheck.text),
        FuzzTarget("message", upTo: 600, MessageCheck.request),
        FuzzTarget("reply", upTo: 600, MessageCheck.reply),
        FuzzTarget("session-id", upTo: 300, SessionIDCheck.text),
        FuzzTarget("legacy-target", upTo: 300, SessionIDCheck.target),
        FuzzTarget("redis-reply", upTo: 500, RedisReplyCheck.replies),
        FuzzTarget("dns-message", upTo: 600, DNSCheck.message),
        FuzzTarget("target-file", upTo: 500, DNSCheck.targetFile),
        FuzzTarget("configuration", upTo: 2_000, ConfigurationCheck.file),
        FuzzTarget("nginx", upTo: 2_000, ConfigurationCheck.nginx),
        FuzzTarget("haproxy", upTo: 2_000, ConfigurationCheck.haproxy),
    ]

    /// The target of this name.
    public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// Something that does not hold.
struct Finding: Error {
    var message: String
}

/// Throws a finding unless the condition holds.
func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(Finding) {
    guard condition else { throw Finding(message: message()) }
}

/// Throws a finding unless both are equal.
func requireEqual<Value: Equatable>(
    _ one: Value, _ other: Value, _ message: @autoclosure () -> String
) throws(Finding) {
    guard one == other else { throw Finding(message: "\(message()):\n  \(one)\n  \(other)") }
}
