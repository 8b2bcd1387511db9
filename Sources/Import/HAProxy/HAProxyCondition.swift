/// One thing that a condition asks.
enum HAProxyTest: Equatable {
    case paths([ImportedPath])
    case hosts([String])
    /// Whether the client came over TLS.
    case secure
    /// Whether the client's address is in a block.
    case source([AddressBlock])
    /// Something about the rate or number of requests.
    case rate
    case method
    /// Something that Berth does not look at.
    case other
}

/// A condition: one of several ways in which all tests have to hold.
struct HAProxyCondition {
    struct Term: Equatable {
        var test: HAProxyTest
        var isNegated: Bool
    }

    /// Alternatives of terms that all hold; one without terms always holds.
    let alternatives: [[Term]]

    /// The most alternatives that are followed.
    private static let maximum = 64

    /// The condition behind `if` or `unless`; one that always holds if there is none.
    init(_ words: [String], acls: [String: [HAProxyTest]]) {
        guard let place = words.firstIndex(where: { $0 == "if" || $0 == "unless" }) else {
            alternatives = [[]]
            return
        }
        let isUnless = words[place] == "unless"
        var found: [[Term]] = [[]]
        var rest = words[(place + 1)...]
        var isNegated = false
        while let word = rest.popFirst() {
            var name = Substring(word)
            while name.hasPrefix("!") {
                isNegated.toggle()
                name = name.dropFirst()
            }
            if name.isEmpty { continue }
            if name == "or" || name == "||" {
                found.append([])
                if found.count > Self.maximum { break }
                continue
            }
            let tests: [HAProxyTest]
            if name == "{" {
                let inner = rest.prefix { $0 != "}" }
                rest = rest.dropFirst(inner.count + 1)
                tests = [HAProxyTest(Array(inner))]
            } else {
                tests = Self.predefined[String(name)].map { [$0] } ?? acls[String(name)] ?? [.other]
            }
            found[found.count - 1].append(Term(test: Self.merged(tests), isNegated: isNegated))
            isNegated = false
        }
        alternatives = isUnless ? Self.negated(found) : found
    }

    private static let predefined: [String: HAProxyTest] = [
        "TRUE": .other, "FALSE": .other, "METH_OPTIONS": .method, "METH_GET": .method, "METH_POST": .method,
        "LOCALHOST": .source([AddressBlock("127.0.0.0/8"), AddressBlock("::1")].compactMap { $0 }),
    ]

    /// Lines of one name are alternatives: paths of several become one list.
    private static func merged(_ tests: [HAProxyTest]) -> HAProxyTest {
        guard var result = tests.first else { return .other }
        for test in tests.dropFirst() {
            switch (result, test) {
            case (.paths(let mine), .paths(let more)): result = .paths(mine + more)
            case (.hosts(let mine), .hosts(let more)): result = .hosts(mine + more)
            case (.source(let mine), .source(let more)): result = .source(mine + more)
            case _ where result == test: break
            default: return .other
            }
        }
        return result
    }

    /// What `unless` says: not all of the terms of any alternative. Followed for one alternative of one term.
    private static func negated(_ alternatives: [[Term]]) -> [[Term]] {
        guard alternatives.count == 1, alternatives[0].count == 1 else {
            return [[Term(test: .other, isNegated: true)]]
        }
        let term = alternatives[0][0]
        return [[Term(test: term.test, isNegated: !term.isNegated)]]
    }
}

extension HAProxyTest {
    /// A test as `acl` has it behind its name: "path_beg -i /mcp /sse".
    init(_ words: [String]) {
        guard let fetch = words.first else {
            self = .other
            return
        }
        var values: [String] = []
        var ignoresMethod = false
        var isSubstring = false
        var rest = words.dropFirst()
        while let word = rest.popFirst() {
            switch word {
            case "-i", "-n", "--": break
            case "-m":
                let method = rest.popFirst() ?? ""
                if method == "beg" {
                    ignoresMethod = true
                } else if method != "str", method != "ip" {
                    isSubstring = true
                }
            case "-f", "-M", "-u": isSubstring = true
            default: values.append(word)
            }
        }
        let name = fetch.prefix { $0 != "," }.lowercased()
        self =
            isSubstring && name != "ssl_fc" && !Self.isRate(name)
            ? .other : Self.test(String(name), values, isPrefix: ignoresMethod)
    }

    private static func isRate(_ name: String) -> Bool {
        [
            "sc_", "sc0_", "sc1_", "sc2_", "src_", "gpc", "table_", "be_conn", "fe_conn", "be_sess", "fe_sess", "nbsrv",
            "queue", "avg_queue",
        ]
        .contains { name.hasPrefix($0) }
    }

    private static func test(_ name: String, _ values: [String], isPrefix: Bool) -> HAProxyTest {
        func paths(_ make: (String) -> ImportedPath?) -> HAProxyTest {
            let found = values.map(make)
            return found.isEmpty || found.contains { $0 == nil } ? .other : .paths(found.compactMap { $0 })
        }
        switch name {
        case "path": return paths { isPrefix ? ImportedPath.prefix(written: $0) : ImportedPath.exact(written: $0) }
        case "path_beg": return paths { ImportedPath.prefix(written: $0) }
        case "path_dir": return paths { ImportedPath.prefix(written: $0.hasPrefix("/") ? $0 : "/" + $0) }
        case "path_reg":
            let found = values.map { LiteralPaths($0)?.paths }
            return found.isEmpty || found.contains { $0 == nil } ? .other : .paths(found.flatMap { $0 ?? [] })
        case "hdr(host)", "req.hdr(host)", "hdr_dom(host)", "req.fhdr(host)", "ssl_fc_sni", "hdr_end(host)",
            "hdr_beg(host)":
            let isWhole = !name.hasPrefix("hdr_") || name == "hdr_dom(host)"
            let hosts = values.map { String($0.lowercased().prefix { $0 != ":" }) }
            let isPlain = !hosts.isEmpty && isWhole && !isPrefix && hosts.allSatisfy { RouteHost.isName($0) }
            return isPlain ? .hosts(hosts) : .other
        case "ssl_fc": return .secure
        case "dst_port": return values == ["443"] ? .secure : .other
        case "src":
            let blocks = values.compactMap { AddressBlock($0) }
            return !blocks.isEmpty && blocks.count == values.count ? .source(blocks) : .other
        case "method": return .method
        default: return isRate(name) ? .rate : .other
        }
    }
}
