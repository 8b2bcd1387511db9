import ASCII
import Configuration
import FoundationEssentials
import Kernel
import Proxy

/// Asks a running Berth something: at its Unix socket, or at its admin address, as the file says that it runs with.
struct AdminClient {
    /// A response: its status and its body.
    struct Response {
        var status: Int
        var body: String
    }

    /// Why there is no response.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Where it listens.
    private enum Place: CustomStringConvertible {
        case socket(String)
        case address(SocketAddress)

        var description: String {
            switch self {
            case .socket(let path): "unix:\(path)"
            case .address(let address): "\(address)"
            }
        }
    }

    private let places: [Place]
    private let token: TokenSource?

    /// How long a response may take: a reload looks up names, and reads certificates.
    private static let limit = Interval.seconds(20)

    init(_ global: GlobalConfiguration) throws {
        var places = global.adminSocket.map { [Place.socket($0)] } ?? []
        if let admin = global.admin {
            let host = admin.host.isEmpty || admin.host == "*" || admin.host == "0.0.0.0" ? "127.0.0.1" : admin.host
            guard let address = SocketAddress(literal: host == "::" ? "::1" : host, port: admin.port) else {
                throw Failure(description: "\(admin) is no address")
            }
            places.append(.address(address))
        }
        guard !places.isEmpty else {
            throw Failure(description: "the configuration has no admin address; set admin in [global]")
        }
        self.places = places
        token = global.adminToken
    }

    /// Sends a request and returns the response. `body` is sent with a POST.
    func ask(_ method: String, _ target: String, body: String = "") throws -> Response {
        var received: [UInt8] = []
        try exchange(method, target, body, within: Self.limit) { chunk in
            received += chunk
            guard received.count < 64 << 20 else { throw Failure(description: "the answer has no end") }
        }
        return try AdminAnswer(received).response
    }

    /// Sends a GET whose response has no end, and gives `take` each line of its body. Returns when the connection ends, with the
    /// body so far if the status is no 200.
    func follow(_ target: String, _ take: (String) -> Void) throws -> Response {
        var answer = AdminAnswer()
        try exchange("GET", target, "", within: nil) { chunk in
            answer.append(chunk)
            guard answer.status == 200 else { return }
            for line in answer.takeLines() { take(line) }
        }
        return try answer.response
    }

    // MARK: - Bytes

    private func exchange(
        _ method: String, _ target: String, _ body: String, within limit: Interval?, _ take: ([UInt8]) throws -> Void
    ) throws {
        var world = try Linux()
        let (place, descriptor) = try dial(&world)
        defer { world.close(descriptor, reset: false) }
        let request = try head(method, target, body, at: place)
        let deadline = limit.map { Instant.now() + $0 } ?? .never
        var (sent, hasReceived) = (0, false)
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while Instant.now() < deadline {
            _ = world.wait(milliseconds: 100)
            while sent < request.count {
                guard case .moved(let count) = world.send(descriptor, request.span.extracting(sent..<request.count))
                else {
                    break
                }
                sent += count
            }
            reading: while true {
                var space = chunk.mutableSpan
                switch world.receive(descriptor, into: &space) {
                case .moved(let count):
                    hasReceived = true
                    try take(Array(chunk[..<count]))
                case .ended: return
                case .failed where hasReceived: return
                case .failed(let code): throw Failure(description: "\(place): \(ErrorNumber.text(code))")
                case .wouldBlock: break reading
                }
            }
        }
        throw Failure(description: "no answer from \(place) within \(Int(Self.limit.milliseconds / 1_000)) s")
    }

    private func head(_ method: String, _ target: String, _ body: String, at place: Place) throws -> [UInt8] {
        var head = "\(method) \(target) HTTP/1.1\r\nconnection: close\r\n"
        if method == "POST" { head += "content-length: \(body.utf8.count)\r\n" }
        switch place {
        case .socket: head += "host: localhost\r\n"
        case .address(let address):
            head += "host: \(address)\r\n"
            if let token { head += "authorization: \(try AdminToken(token).credentials)\r\n" }
        }
        return Array("\(head)\r\n\(body)".utf8)
    }

    /// Connects to the first place that answers.
    private func dial(_ world: inout Linux) throws -> (Place, Descriptor) {
        var reasons: [String] = []
        for place in places {
            switch connect(to: place, &world) {
            case .success(let descriptor): return (place, descriptor)
            case .failure(let failure): reasons.append("nothing answers at \(place): \(failure.description)")
            }
        }
        throw Failure(description: reasons.joined(separator: "; "))
    }

    private func connect(to place: Place, _ world: inout Linux) -> Result<Descriptor, Failure> {
        let result =
            switch place {
            case .socket(let path): UnixSocket.dial(path)
            case .address(let address): world.dial(address)
            }
        let descriptor: Descriptor
        switch result {
        case .failed(let code): return .failure(Failure(description: ErrorNumber.text(code)))
        case .started(let started): descriptor = started
        }
        guard world.watch(descriptor, token: 0) else {
            world.close(descriptor, reset: false)
            return .failure(Failure(description: "it cannot be watched"))
        }
        if case .socket = place { return .success(descriptor) }
        let deadline = Instant.now() + .seconds(5)
        while Instant.now() < deadline {
            guard world.wait(milliseconds: 100) > 0 else { continue }
            let code = world.connectionError(descriptor)
            if code == 0 { return .success(descriptor) }
            world.close(descriptor, reset: false)
            return .failure(Failure(description: ErrorNumber.text(code)))
        }
        world.close(descriptor, reset: false)
        return .failure(Failure(description: "no connection within 5 s"))
    }
}

/// A response as it comes.
struct AdminAnswer {
    private var head: String?
    private var rest: [UInt8] = []

    init(_ bytes: [UInt8] = []) { append(bytes) }

    mutating func append(_ bytes: [UInt8]) {
        rest += bytes
        guard head == nil, let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
        head = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
        rest.removeFirst(end.upperBound)
    }

    /// Nil before the head is there, and of what is no HTTP.
    var status: Int? {
        guard let head, head.hasPrefix("HTTP/1.") else { return nil }
        let parts = head.split(separator: " ", maxSplits: 2)
        return parts.count > 1 ? Int(parts[1]) : nil
    }

    /// The whole lines of the body that are there and were not taken, without their ends; blank ones are left out.
    mutating func takeLines() -> [String] {
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        defer { rest.removeFirst(end + 1) }
        return rest[..<end].split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    var response: AdminClient.Response {
        get throws {
            guard let status else { throw AdminClient.Failure(description: "what answers is not Berth") }
            return AdminClient.Response(status: status, body: String(decoding: rest, as: UTF8.self))
        }
    }
}

extension AdminClient {
    /// Asks for a change and prints what came of it. Throws if nothing has changed because something is wrong.
    func change(_ action: String, _ parameters: KeyValuePairs<String, String?> = [:]) throws {
        let query = parameters.compactMap { name, value in value.map { "\(name)=\(Self.escaped($0))" } }
        let target = "/\(action)" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        try ChangeReport(ask("POST", target)).show()
    }

    /// A text as the value of a query: what is not unreserved (RFC 3986 section 2.3) is escaped.
    static func escaped(_ text: String) -> String {
        text.utf8.reduce(into: "") { escaped, byte in
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII,
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || "-._~".unicodeScalars.contains(scalar)
            {
                escaped.unicodeScalars.append(scalar)
            } else {
                escaped += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
    }

    /// The document of a page.
    func page<Document: Decodable>(_ target: String, as type: Document.Type = Document.self) throws -> Document {
        let response = try ask("GET", target)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard response.status == 200, let document = try? decoder.decode(type, from: Data(response.body.utf8)) else {
            let text = response.body.trimmed
            throw Failure(description: response.status == 200 ? "what answers is not Berth" : text)
        }
        return document
    }
}
