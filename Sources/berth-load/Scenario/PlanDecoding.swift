import Configuration
import Load

extension LoadPlan {
    /// Decodes a run of a scenario. `url` overrides the run's own URL; `other` is used if it has none.
    init(from reader: TableReader, url: Target?, else other: Target?) {
        var reader = reader
        let name = reader.text("name")?.value ?? ""
        let own = reader.target("url")
        self.init(target: url ?? own ?? other ?? .placeholder, mix: [])
        self.name = name
        decode(&reader)
        reader.finish()
    }

    /// Checks `[defaults]`, which may have all keys of a run but name and url.
    static func check(defaults: TableReader) {
        guard defaults.range != nil else { return }
        var (plan, reader) = (LoadPlan(target: .placeholder, mix: []), defaults)
        plan.decode(&reader, isShared: true)
        reader.finish()
    }

    private mutating func decode(_ reader: inout TableReader, isShared: Bool = false) {
        mix = reader.mix()
        decodeLoad(&reader, isShared)
        decodeCalls(&reader)
        decodeTrust(&reader)
        headers = reader.headers()
        seed = UInt64(reader.integer("seed", in: 0...Int.max, default: Int(seed)))
    }

    private mutating func decodeLoad(_ reader: inout TableReader, _ isShared: Bool) {
        transport = reader.choice(
            "transport", default: transport,
            aliases: ["http1": .http1, "h1": .http1, "http/2": .http2, "http2": .http2, "h2c": .http2])
        connections = reader.integer("connections", in: 1...65_536, default: connections)
        depth = decodedDepth(&reader, isShared)
        rate = reader.number("rate", in: 0.001...10_000_000)
        seconds = reader.number("seconds", in: 0.1...1_000_000) ?? seconds
        warmUp = reader.number("warm_up", in: 0...1_000_000) ?? warmUp
        calls = reader.optionalInteger("calls", in: 1...Int.max).map { UInt64($0) }
        threads = reader.integer("threads", in: 1...64, default: threads)
        timeout = reader.number("timeout", in: 0.001...86_400) ?? timeout
    }

    private func decodedDepth(_ reader: inout TableReader, _ isShared: Bool) -> Int {
        let isOwn = reader.has("depth") && !isShared
        guard let entry = reader.take("depth"), let depth = reader.integer(entry, in: 1...1_024, "") else { return 1 }
        guard transport == .http1, depth > 1 else { return depth }
        // A depth in [defaults] applies to the runs over HTTP/2 only.
        if isOwn {
            reader.report(
                entry.value.range, "\(reader.quote(entry)) over HTTP/1.1",
                because: "a connection of HTTP/1.1 carries one call at a time", help: "set transport = \"h2\" as well")
        }
        return 1
    }

    private mutating func decodeCalls(_ reader: inout TableReader) {
        sessions = reader.optionalInteger("sessions", in: 1...1_000_000)
        callsPerSession = reader.integer("calls_per_session", in: 1...1_000_000_000, default: callsPerSession)
        shuffle = reader.optionalFlag("shuffle")
        tool = reader.text("tool")?.value ?? tool
        arguments = reader.jsonObject("arguments") ?? arguments
        bytes = reader.size("bytes", in: 0...1_073_741_824, default: bytes)
        direction = reader.choice(
            "direction", default: direction,
            aliases: ["download": .down, "get": .down, "upload": .up, "post": .up])
        eventsPerSecond = reader.number("events_per_second", in: 0.001...1_000) ?? eventsPerSecond
    }

    private mutating func decodeTrust(_ reader: inout TableReader) {
        let file = reader.text("ca")
        if let file { trust = .file(file.value) }
        if reader.flag("insecure", default: false) {
            if let file {
                reader.report(
                    file.entry.value.range, "ca beside insecure = true",
                    because: "with insecure = true no certificate is verified", help: "remove one of the two")
            }
            trust = .anyone
        }
        resumption = reader.flag("resumption", default: resumption)
    }
}

extension Target {
    /// The target of a plan that has errors and is not used.
    fileprivate static let placeholder = Target(isSecure: false, host: "localhost", port: 1, path: "/mcp")
}
