import TestSupport

/// One HTTP message as it was on the wire: a request as a server got it, or a response as a client did. The reader
/// below is as simple as can be and shares nothing with the proxy's own.
struct Message {
    var startLine = ""
    var fields: [HeaderField] = []
    var body: [UInt8] = []
    var trailers: [HeaderField] = []
    /// Status codes of the 1xx responses before this one.
    var informationalCount: [Int] = []
    /// The head was read to its end; the body may not have been.
    var hasHead = false
    var isComplete = false

    var status: Int { Int(startLine.split(separator: " ").dropFirst().first ?? "") ?? 0 }
    var method: String { String(startLine.split(separator: " ").first ?? "") }
    var target: String { String(startLine.split(separator: " ").dropFirst().first ?? "") }
    var text: String { String(decoding: body, as: UTF8.self) }

    subscript(name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
}

/// Reads messages one after another from bytes that arrive in any pieces.
struct MessageReader {
    private enum State { case head, counted(Int), untilEnd, chunkSize, chunk(Int), chunkEnd, trailers, done }

    private let isRequest: Bool
    /// The methods of the requests whose responses are read, in order.
    private var methods: [String]
    private var state = State.head
    private var line: [UInt8] = []
    private(set) var complete: [Message] = []
    /// What has begun and is not complete.
    private(set) var current = Message()
    /// Something on the wire is not HTTP.
    private(set) var isBroken = false

    init(requests: Void = ()) {
        isRequest = true
        methods = []
    }

    init(responsesTo methods: [String]) {
        isRequest = false
        self.methods = methods
    }

    mutating func expect(_ method: String) { methods.append(method) }

    /// Nothing of a message is under way.
    var isBetween: Bool { if case .head = state { line.isEmpty && current.startLine.isEmpty } else { false } }

    mutating func read(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty { rest = rest.dropFirst(readSome(rest)) }
    }

    /// Reads a line, or what is there of it or of a body, of `bytes`, which are not empty. Returns how many bytes it read.
    mutating func readSome(_ bytes: ArraySlice<UInt8>) -> Int {
        switch state {
        case .counted(let left):
            let count = readBody(bytes, most: left)
            if left == count { finish() } else { state = .counted(left - count) }
            return count
        case .untilEnd: return readBody(bytes, most: bytes.count)
        case .chunk(let left):
            let count = readBody(bytes, most: left)
            state = left == count ? .chunkEnd : .chunk(left - count)
            return count
        case .head, .chunkSize, .chunkEnd, .trailers: return readLine(bytes)
        case .done:
            isBroken = true
            return bytes.count
        }
    }

    private mutating func readBody(_ bytes: ArraySlice<UInt8>, most: Int) -> Int {
        let piece = bytes.prefix(most)
        current.body += piece
        return piece.count
    }

    private mutating func readLine(_ bytes: ArraySlice<UInt8>) -> Int {
        guard let end = bytes.firstIndex(of: 10) else {
            line += bytes
            return bytes.count
        }
        line += bytes[...end]
        let count = end + 1 - bytes.startIndex
        guard line.count >= 2, line[line.count - 2] == 13 else {
            isBroken = true
            return count
        }
        let text = String(decoding: line.dropLast(2), as: UTF8.self)
        line = []
        take(text)
        return count
    }

    /// The connection's end: completes a body that lasts until then.
    mutating func end() {
        if case .untilEnd = state { finish() }
    }

    private mutating func take(_ text: String) {
        switch state {
        case .head where current.startLine.isEmpty: current.startLine = text
        case .head where text.isEmpty: takeHead()
        case .head: append(text, trailer: false)
        case .chunkSize:
            guard let size = Int(text.prefix { $0 != ";" }, radix: 16) else { return isBroken = true }
            state = size == 0 ? .trailers : .chunk(size)
        case .chunkEnd:
            if !text.isEmpty { isBroken = true }
            state = .chunkSize
        case .trailers where text.isEmpty: finish()
        case .trailers: append(text, trailer: true)
        default: break
        }
    }

    private mutating func append(_ text: String, trailer: Bool) {
        guard let colon = text.firstIndex(of: ":") else { return isBroken = true }
        let value = text[text.index(after: colon)...].drop { $0 == " " }
        let field = HeaderField(String(text[..<colon]), String(value))
        if trailer { current.trailers.append(field) } else { current.fields.append(field) }
    }

    private mutating func takeHead() {
        if !isRequest {
            guard current.startLine.hasPrefix("HTTP/1.1 "), current.status > 0 else { return isBroken = true }
            if current.status < 200 {
                var next = Message()
                next.informationalCount = current.informationalCount + [current.status]
                current = next
                return
            }
            // A response that nobody asked for.
            guard !methods.isEmpty || current.status >= 400 else { return isBroken = true }
        }
        current.hasHead = true
        let method = isRequest || methods.isEmpty ? "" : methods.removeFirst()
        let hasBody = isRequest || (method != "HEAD" && current.status != 204 && current.status != 304)
        if let lengths = Set(current.all("content-length")).first, current.all("transfer-encoding").isEmpty {
            let length = Int(lengths) ?? -1
            if length < 0 { isBroken = true }
            if length > 0, hasBody { state = .counted(length) } else { finish() }
        } else if current["transfer-encoding"] == "chunked" {
            if hasBody { state = .chunkSize } else { finish() }
        } else if isRequest || !hasBody {
            finish()
        } else {
            state = .untilEnd
        }
    }

    private mutating func finish() {
        current.isComplete = true
        complete.append(current)
        current = Message()
        state = .head
    }
}
