import Foundation
import HTTP
import Reactor
import TestSupport
import Testing

/// Our HTTP/1 parser beside h11 and llhttp: what we take they take, and read alike; what only we refuse is on a list.
@Suite("HTTP/1 beside h11 and llhttp", .enabled(if: OtherParsers.areReady))
struct RequestComparisonTests {
    private static let heads = [
        "POST /mcp?x=1 HTTP/1.1\r\nHost: a.test:80\r\nContent-Length: 5\r\nAccept: application/json, text/event-stream\r\n",
        "POST /mcp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nMcp-Session-Id: s1\r\n",
        "GET / HTTP/1.1\r\nHost: [::1]:8080\r\nX-A: b\r\nX-Empty:\r\nConnection: keep-alive\r\n",
        "DELETE /mcp HTTP/1.0\r\nhost:a\r\nCookie: a=b; c=d\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nOrigin: http://x\r\n",
    ]
    private static let lines = [
        "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Content-Length: 5, 5\r\n", "Content-Length: +5\r\n",
        "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: x\r\n",
        "X: y\r\n", "X : y\r\n", " X: y\r\n", "X: a\r\n b\r\n", "X: a\n", "X: a\rb\r\n", "X: a\u{0}b\r\n",
        "X: \u{E9}\r\n",
        "X\u{E9}: a\r\n", ": a\r\n", "X\r\n", "Host: b\r\n", "Connection: close\r\n",
        "Connection: upgrade\r\nUpgrade: h2c\r\n",
        "Expect: 100-continue\r\n", "X: \t y \t\r\n", "X: \u{7F}\r\n", "Content-Length: 18446744073709551621\r\n",
        "transfer-encoding: Chunked \r\n", "Transfer-Encoding: \u{B}chunked\r\n", "Content-Length: 5 5\r\n",
    ]
    private static let bodies = [
        "hello", "5\r\nhello\r\n0\r\n\r\n", "5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", "", "5 \r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "0x5\r\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "00000000000000005\r\nhello\r\n0\r\n\r\n",
        "5;\r\nhello\r\n0\r\n\r\n",
    ]

    private static func inputs(seed: UInt64, _ count: Int) -> [[UInt8]] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in
            var text = random.element(of: heads)
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let line = random.element(of: lines)
                let end = text.index(after: text.firstIndex(of: "\r\n") ?? text.startIndex)
                text.insert(contentsOf: line, at: random.oneIn(2) ? text.endIndex : end)
            }
            var bytes = latin1(text + "\r\n" + random.element(of: bodies))
            for _ in 0..<Int.random(in: 0...2, using: &random) where random.oneIn(2) {
                let place = Int.random(in: bytes.indices, using: &random)
                let byte = random.element(of: Array("\r\n \t:,;\u{0}\u{B}/0a".utf8) + [0x80, 0xFF])
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = byte
                case 1: bytes.insert(byte, at: place)
                default: bytes.remove(at: place)
                }
            }
            return bytes
        }
    }

    private static func latin1(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }

    private static func text(_ bytes: some Sequence<UInt8>) -> String {
        String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    // MARK: - Our own reading

    /// What we read; nil: refused. `isWhole` is false while more has to come.
    private static func ours(_ bytes: [UInt8]) -> OtherParsers.Request? {
        var head = RequestHead()
        switch RequestParser(limits: HeadLimits()).parse(bytes.span, into: &head) {
        case .invalid: return nil
        case .incomplete: return OtherParsers.Request(method: "", target: "", body: "", fields: [], isWhole: false)
        case .complete: break
        }
        var request = OtherParsers.Request(
            method: text(bytes[head.methodName.range]), target: text(bytes[head.target.range]), body: "", fields: [],
            isWhole: true)
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            request.fields.append([text(bytes[field.name.range]).lowercased(), text(bytes[field.value.range])])
        }
        let rest = Array(bytes[head.length...])
        switch head.framing {
        case .none, .untilClose: break
        case .length(let count):
            request.body = text(rest.prefix(Int(clamping: count)))
            request.isWhole = rest.count >= count
        case .chunked: return chunked(rest, request)
        }
        return request
    }

    private static func chunked(_ bytes: [UInt8], _ request: OtherParsers.Request) -> OtherParsers.Request? {
        var request = request
        var decoder = ChunkDecoder()
        var offset = 0
        while true {
            switch decoder.next(bytes.span, from: offset) {
            case .data(let range):
                request.body += text(bytes[range.range])
                offset = range.upperBound
            case .trailer(let range): offset = range.upperBound
            case .needsMore:
                request.isWhole = false
                return request
            case .end: return request
            case .invalid: return nil
            }
        }
    }

    // MARK: - Differences

    /// A difference that may be, with the reason, and the inputs that have it. In these, `@` stands for CR LF.
    private struct Difference: Sendable {
        let reason: String
        let parser: String
        let fits: @Sendable (String) -> Bool

        init(_ reason: String, _ parser: String = "", _ fits: @escaping @Sendable (String) -> Bool) {
            self.reason = reason
            self.parser = parser
            self.fits = fits
        }
    }

    /// Why we take what another parser refuses. Everything else of this kind is a fault.
    private static let taken: [Difference] = [
        Difference("llhttp has a list of methods", "llhttp") { !$0.contains(/^@?(POST|GET|DELETE|OPTIONS)\b/) },
        Difference("a higher minor version is read as the highest known (RFC 9110 section 2.5)", "h11") {
            $0.contains(/HTTP\/1\.[2-9]@/)
        },
        Difference("the same", "llhttp") { $0.contains(/HTTP\/1\.[2-9]@/) },
    ]

    /// Why another parser reads what we take in another way.
    private static let readOtherwise: [Difference] = [
        Difference("llhttp leaves to its caller what follows an Upgrade; Berth forwards no Upgrade", "llhttp") {
            $0.contains(/(?i)@upgrade:/)
        }
    ]

    /// Why we refuse what both others take.
    private static let refused: [Difference] = [
        Difference("a line that ends with LF alone (RFC 9112 section 2.2 allows it; smuggling lives on it)") {
            $0.contains("\n")
        },
        Difference("a folded line (RFC 9112 section 5.2 lets a server refuse it)") { $0.contains(/@[ \t]/) },
        Difference("a coding other than chunked, which is 501") {
            $0.contains(/(?i)@transfer-encoding:/) && !$0.contains(/(?i)@transfer-encoding:[ \t]*chunked[ \t]*@/)
        },
        Difference("a coding in HTTP/1.0, which servers of it do not know (RFC 9112 section 6.1)") {
            $0.contains(/HTTP\/1\.0@/) && $0.contains(/(?i)@transfer-encoding:/)
        },
        Difference("two lengths or codings, or a list of them, even of equal ones") {
            $0.lowercased().split(separator: /@(content-length|transfer-encoding):/).count > 2
                || $0.contains(/(?i)@content-length:[^@]*,/)
        },
        Difference("a chunk's size of more than 15 digits, with a space behind it, or with an empty extension") {
            $0.contains(/@@(0{15}|[0-9a-f]+[ \t]|[0-9a-f]+;[ \t]*@)/)
        },
        Difference("a host that is none") { !$0.contains(/(?i)@host:[ \t]*[a-z0-9.\-]+(:[0-9]*)?[ \t]*@/) },
        Difference("Connection and Expect that are no list of names, or not 100-continue") {
            $0.contains(/(?i)@(connection|expect):/)
        },
        Difference("a target of a form that RFC 9112 section 3.2 does not have") {
            !$0.contains(/^@?[A-Z]+ (\/[!-~]*|\*) HTTP/) || $0.contains("#")
        },
    ]

    /// As Latin-1, `@` for CR LF.
    private static func marked(_ bytes: [UInt8]) -> String {
        text(bytes).replacing("\r\n", with: "@")
    }

    @Test("verdicts and contents agree, but for what is listed", arguments: 1...4 as ClosedRange<UInt64>)
    func compare(seed: UInt64) throws {
        let inputs = Self.inputs(seed: seed, 1_500)
        let others = try OtherParsers.shared.get().requests(inputs)
        try #require(others.count == inputs.count)
        var (both, onlyWe) = (0, 0)
        for (bytes, other) in zip(inputs, others) {
            let shown = Self.marked(bytes)
            guard let ours = Self.ours(bytes) else {
                if other.h11 != nil, other.llhttp != nil {
                    onlyWe += 1
                    #expect(Self.refused.contains { $0.fits(shown) }, "only we refuse \(shown)")
                }
                continue
            }
            guard ours.isWhole else { continue }
            both += 1
            for (name, other) in [("h11", other.h11), ("llhttp", other.llhttp)] {
                guard let other else {
                    let isListed = Self.taken.contains { $0.parser == name && $0.fits(shown) }
                    #expect(isListed, "\(name) refuses \(shown)")
                    continue
                }
                if Self.readOtherwise.contains(where: { $0.parser == name && $0.fits(shown) }) { continue }
                #expect(
                    other.method == ours.method && other.body == ours.body && other.isWhole,
                    "\(name): \(shown)")
                #expect(other.target.hasSuffix(ours.target), "\(name): \(shown)")
                let fields = other.fields.map { [$0[0], $0[1].trimmed] }
                #expect(
                    fields == ours.fields || Self.isJoined(fields, ours.fields), "\(name): \(shown)")
            }
        }
        #expect(both > 100 && onlyWe > 3, "\(both) taken by all, \(onlyWe) refused by us only")
    }

    /// h11 gives "Transfer-Encoding: Chunked" in lower case.
    private static func isJoined(_ one: [[String]], _ other: [[String]]) -> Bool {
        one.map { [$0[0], $0[1].lowercased()] } == other.map { [$0[0], $0[1].lowercased()] }
    }
}

extension String {
    fileprivate func count(of part: String) -> Int { lowercased().components(separatedBy: part).count - 1 }
    fileprivate var trimmed: String { trimmingCharacters(in: CharacterSet(charactersIn: " \t")) }
}
