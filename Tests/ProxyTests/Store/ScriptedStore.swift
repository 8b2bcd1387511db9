import Configuration
import Kernel
import Redis
import Simulation

@testable import Proxy

/// What stores have; several Berths, each on a network of its own, may look at the same.
final class StoreContents {
    var values: [String: String] = [:]
    /// When they expire, by the clock of the Berth that set them.
    var ends: [String: Instant] = [:]
    /// Arrival times of rates in microseconds, by a clock that began with each Berth's network.
    var arrivals: [String: Int64] = [:]
    /// It was told of the script for rates.
    var knowsScript = false
}

/// A store on the simulated network: Redis, as far as Berth uses it.
final class ScriptedStore {
    enum Mood: Equatable {
        case answers
        /// Each reply comes so much later.
        case slow(milliseconds: UInt64)
        /// It takes commands and says nothing.
        case silent
        /// Every command but those of the greeting has this error.
        case refuses(String)
        /// It says what is no reply.
        case raves
    }

    static let address = SocketAddress.loopback(port: 6379)

    let contents: StoreContents
    private unowned let network: SimulatedNetwork
    private let startedAt: Instant
    /// What it says in place of how far an arrival time lies ahead.
    var lie: String?
    var mood = Mood.answers
    /// It answers reads only, as one whose memory is full.
    var refusesWrites = false
    /// Whole commands, the greeting's left out.
    private(set) var commands: [[String]] = []
    private(set) var greetings = 0

    init(_ network: SimulatedNetwork, _ contents: StoreContents = StoreContents()) {
        self.network = network
        self.contents = contents
        startedAt = network.now
        listen()
    }

    func listen() {
        network.serve(at: Self.address) { [self] peer in accept(peer) }
    }

    /// Nobody listens, and every connection breaks.
    func die() {
        network.refuse(at: Self.address)
        for peer in network.served(at: Self.address) where !peer.isDone { peer.perform(.reset) }
    }

    func count(_ name: String) -> Int { commands.count { $0.first == name } }

    private func accept(_ peer: SimulatedPeer) {
        var bytes: [UInt8] = []
        peer.onReceive = { [self] more in
            bytes += more
            var actions: [SimulatedPeer.Action] = []
            while let command = Self.takeCommand(&bytes) { actions += answer(command) }
            return actions
        }
    }

    private func answer(_ command: [String]) -> [SimulatedPeer.Action] {
        if command.first == "HELLO" {
            greetings += 1
            return mood == .silent ? [] : [.text("%1\r\n+proto\r\n:3\r\n")]
        }
        commands.append(command)
        if refusesWrites, command.first == "SET" { return [.text("-OOM command not allowed\r\n")] }
        switch mood {
        case .answers: return [.text(reply(command))]
        case .slow(let milliseconds): return [.pause(.milliseconds(milliseconds)), .text(reply(command))]
        case .silent: return []
        case .refuses(let error): return [.text("-\(error)\r\n")]
        case .raves: return [.text("HTTP/1.1 400 Bad Request\r\n\r\n")]
        }
    }

    private func reply(_ command: [String]) -> String {
        switch command.first {
        case "GET" where isOver(command[1]), "PTTL" where isOver(command[1]):
            return command[0] == "GET" ? "_\r\n" : ":-2\r\n"
        case "PTTL":
            return contents.ends[command[1]].map { ":\(($0 - network.now).nanoseconds / 1_000_000)\r\n" } ?? ":-1\r\n"
        case "GET": return contents.values[command[1]].map { "$\($0.utf8.count)\r\n\($0)\r\n" } ?? "_\r\n"
        case "SET":
            if command.last == "NX", contents.values[command[1]] != nil, !isOver(command[1]) { return "_\r\n" }
            contents.values[command[1]] = command[2]
            if command.count > 4, let milliseconds = UInt64(command[4]) {
                contents.ends[command[1]] = network.now + .milliseconds(milliseconds)
            }
            return "+OK\r\n"
        case "DEL": return contents.values.removeValue(forKey: command[1]) == nil ? ":0\r\n" : ":1\r\n"
        case "EXPIRE", "PEXPIRE":
            guard !isOver(command[1]), let milliseconds = UInt64(command[2]) else { return ":0\r\n" }
            contents.ends[command[1]] = network.now + .milliseconds(milliseconds)
            return ":1\r\n"
        case "EVAL" where command[1] == "\(RateScript.text)":
            contents.knowsScript = true
            return advance(command)
        case "EVALSHA":
            let isKnown = contents.knowsScript && command[1] == "\(RateScript.digest)"
            return isKnown ? advance(command) : "-NOSCRIPT No matching script. Please use EVAL.\r\n"
        case "PING": return "+PONG\r\n"
        default: return "-ERR unknown command\r\n"
        }
    }

    /// What the script for rates does.
    private func advance(_ command: [String]) -> String {
        if let lie { return "\(lie)\r\n" }
        guard command.count == 6, command[2] == "1", let used = Int64(command[4]), let most = Int64(command[5]) else {
            return "-ERR arguments\r\n"
        }
        let now = Int64((network.now - startedAt).nanoseconds / 1_000)
        let arrival = min(max(contents.arrivals[command[3]] ?? 0, now) + used, now + most)
        contents.arrivals[command[3]] = arrival > now ? arrival : nil
        return ":\(max(0, arrival - now))\r\n"
    }

    private func isOver(_ key: String) -> Bool {
        contents.values[key] == nil || (contents.ends[key].map { $0 <= network.now } ?? false)
    }

    /// Takes a whole command off the front, if there is one: an array of bulk strings.
    private static func takeCommand(_ bytes: inout [UInt8]) -> [String]? {
        var rest = bytes[...]
        func number() -> Int? {
            guard let end = rest.firstIndex(of: 10) else { return nil }
            let line = String(decoding: rest[rest.startIndex..<end], as: UTF8.self).filter { $0.isNumber }
            rest = rest[(end + 1)...]
            return Int(line)
        }
        guard let count = number() else { return nil }
        var words: [String] = []
        for _ in 0..<count {
            guard let length = number(), rest.count >= length + 2 else { return nil }
            words.append(String(decoding: rest.prefix(length), as: UTF8.self))
            rest = rest.dropFirst(length + 2)
        }
        bytes = Array(rest)
        return words
    }
}

/// A Berth whose upstream learns ids and shares them, with servers that have any session that one of them has issued.
final class StoreStage {
    let stage: ProxyStage
    let store: ScriptedStore
    let shared: SharedStore
    private(set) var servers: [ScriptedServer] = []
    private var issued = 0

    init(_ seed: UInt64, servers count: Int = 3, contents: StoreContents = StoreContents()) {
        stage = ProxyStage(seed: seed, servers: count)
        store = ScriptedStore(stage.network, contents)
        var configuration = StoreConfiguration(host: "127.0.0.1")
        configuration.wait = .milliseconds(50)
        shared = SharedStore(configuration, found: [], names: NameLookup { _ in [] })
        stage.plan.affinity = .learned
        stage.plan.sharing = SessionSharing(shared, wait: .milliseconds(50), upstream: "mcp")
        stage.snapshot.learned = LearnedSessions(limit: 1_000)
        stage.snapshot.sessionTable = SessionTable()
        servers = (0..<count).map { index in
            ScriptedServer(stage, index) { [unowned self] in answer($0, "replica-\(index)") }
        }
    }

    private func answer(_ message: Message, _ name: String) -> [SimulatedPeer.Action] {
        guard let session = message["mcp-session-id"] else {
            issued += 1
            let id = "\(name)-\(stage.network.seed)-\(issued)"
            return .reply("\(name) \(id)", extra: "Mcp-Session-Id: \(id)\r\n")
        }
        return .reply("\(name) \(session)", extra: "Mcp-Session-Id: \(session)\r\n")
    }

    /// Sends a request on a connection of its own; with the answer comes how long it took.
    func send(_ request: String) -> (answer: Message, time: Interval) {
        stage.send(request)
    }

    func open() -> (session: String, time: Interval, status: Int?) {
        let (answer, time) = send(.post(.call(0, "initialize")))
        return (answer["mcp-session-id"] ?? "", time, answer.status)
    }

    func call(_ session: String) -> (answer: Message, time: Interval) { send(.post(.call(1), session: session)) }

    func commands(_ use: StoreUse, _ result: StoreResult) -> UInt64 {
        shared.counts.numbers.commands[Int(use.rawValue)][Int(result.rawValue)]
    }
}

extension ProxyStage {
    /// Sends a request on a connection of its own; with the answer comes how long it took.
    func send(_ request: String) -> (answer: Message, time: Interval) {
        let client = connect()
        // Else the worker sleeps through the arrival of the answer, and time passes.
        client.peer.onReceive = { [network] _ in
            network.ring(ProxyStage.alarm)
            return []
        }
        let start = network.now
        client.ask(request)
        run { client.responses.count == 1 }
        let time = network.now - start
        client.leave()
        return (client.responses.first ?? Message(), time)
    }
}
