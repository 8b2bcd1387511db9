extension PoolConfiguration {
    init(from reader: consuming TableReader) {
        self.init()
        maximum = reader.integer("max", in: 1...1_000_000, default: maximum)
        minimum = reader.integer("min", in: 0...1_000_000, default: minimum)
        idleTimeout = reader.duration(
            "idle_timeout", default: idleTimeout,
            cannotBeOff: "servers close idle connections too, and one they closed would be found out by a request")
        connectTimeout = reader.duration(
            "connect_timeout", in: .milliseconds(1) ... .seconds(300), default: connectTimeout,
            cannotBeOff: "a server that drops packets would hold its requests for ever")
        maximumUses = reader.integerOrOff("max_uses", in: 1...1_000_000_000, default: maximumUses)
        maximumAge = reader.durationOrOff("max_age", default: maximumAge)
        maximumStreams = reader.integer("max_streams", in: 1...10_000_000, default: maximumStreams)
        maximumShare = reader.integer(
            "max_share", in: 50...100, default: maximumShare, " percent; 100 lets one session take them all")
        reader.checkBounds(minimum, maximum)
        reader.finish()
    }
}

extension TableReader {
    fileprivate func checkBounds(_ minimum: Int, _ maximum: Int) {
        guard minimum > maximum, let entry = entry("min") else { return }
        let source = has("max") ? "max is \(maximum)" : "max is \(maximum) where this table does not set it"
        findings.report(
            entry.value.range, "\(quote(entry)) is more than max",
            because: "\(source), so that many connections can never be kept warm")
    }

    /// A whole number, or nil for "off".
    mutating func integerOrOff(_ key: String, in range: ClosedRange<Int>, default fallback: Int?) -> Int? {
        note(key, .integer(range), .off)
        guard let entry = take(key) else { return fallback }
        if case .string("off") = entry.value.content { return nil }
        return integer(entry, in: range, ", or \"off\"") ?? fallback
    }
}

extension QueueConfiguration {
    init(from reader: consuming TableReader) {
        self.init()
        maximum = reader.integer("max", in: 0...1_000_000, default: maximum, "; 0 lets no request wait")
        timeout = reader.duration(
            "timeout", in: .milliseconds(1) ... .seconds(86_400), default: timeout,
            cannotBeOff: "a request that waits for ever is worse than one that is told to come back")
        reader.finish()
    }
}

extension CircuitBreakerConfiguration {
    init(from reader: consuming TableReader) {
        self.init()
        maximumCalls = reader.integerOrOff("max_calls", in: 1...1_000_000, default: maximumCalls)
        maximumPending = reader.integerOrOff("max_pending", in: 1...1_000_000, default: maximumPending)
        reader.finish()
    }
}

extension UpstreamTimeouts {
    init(from reader: consuming TableReader) {
        self.init()
        firstByte = reader.durationOrOff("first_byte", default: firstByte)
        read = reader.duration(
            "read", in: .milliseconds(100) ... .seconds(86_400), default: read,
            cannotBeOff:
                "a server that stops in the middle of an answer would hold its client and its connection for ever")
        streamIdle = reader.durationOrOff("stream_idle", default: streamIdle)
        reader.rejectUnavailable("tool", because: "this version has one limit for all tools, first_byte")
        for key in ["tls", "header", "body", "idle"] {
            guard let entry = reader.entry(key) else { continue }
            reader.markHandled(key)
            reader.findings.report(
                entry.key, "\(TOMLText.quoted(key)) belongs in [listen.timeouts]",
                because: "\(reader.path.shown) times what servers do, [listen] what clients do")
        }
        reader.finish()
    }
}

extension EventStreamConfiguration {
    init(from reader: consuming TableReader) {
        self.init()
        heartbeat = reader.durationOrOff("heartbeat", in: .seconds(1) ... .seconds(86_400), default: heartbeat)
        reader.finish()
    }
}
