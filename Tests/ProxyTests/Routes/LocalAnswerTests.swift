import Foundation
import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// What routes and listeners answer without a server.
@Suite("Answers without a server")
struct LocalAnswerTests {
    static let routes = """
        [[route]]
        path = "/none"
        respond = 204
        \(ResponseFieldsTests.headers)
        [[route]]
        path = "/text"
        respond = { status = 200, body = "User-agent: *\\n" }
        [[route]]
        path = "/json"
        respond = { status = 503, body = "{}", content_type = "application/json" }
        [[route]]
        path = "/empty"
        respond = 410
        [[route]]
        path = "/docs/*"
        redirect = "https://docs.test:8443"
        [[route]]
        path = "/there/*"
        redirect = "https://other.test/place?a=1"
        [[route]]
        upstream = "mcp"
        """

    private func stage(_ seed: UInt64 = 1, listen: String = "", _ routes: String = routes) throws -> ProxyStage {
        let stage = ProxyStage(seed: seed)
        try stage.configure(listen: listen, routes)
        return stage
    }

    @Test("a fixed answer, to any method, over HTTP/1.1 and HTTP/2")
    func fixed() throws {
        let stage = try stage()
        let server = ScriptedServer(stage) { _ in .reply("server") }
        for (path, status, body, type) in [
            ("/none", 204, "", nil), ("/text", 200, "User-agent: *\n", "text/plain; charset=utf-8"),
            ("/json", 503, "{}", "application/json"), ("/empty", 410, "", nil),
        ] as [(String, Int, String, String?)] {
            for method in ["GET", "POST", "DELETE", "OPTIONS", "PUT", "HEAD"] {
                let line = "\(method) \(path)?x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
                for answer in [stage.answer(line), stage.answerHTTP2(method, path)] {
                    #expect(answer.status == status, "\(method) \(path)")
                    #expect(answer.text == (method == "HEAD" ? "" : body), "\(method) \(path)")
                    #expect(answer["content-type"] == type)
                    #expect(answer["content-length"] == (status == 204 ? nil : "\(body.utf8.count)"))
                    #expect(answer["server"] == (path == "/none" ? nil : "berth"))
                    #expect(answer["x-frame-options"] == (path == "/none" ? "DENY" : nil))
                    #expect(answer["date"] != nil && answer["connection"] == nil)
                }
            }
        }
        #expect(server.requests.isEmpty)
        stage.expectEveryExchangeEndedOnce()
        stage.expectNoLeaks()
    }

    @Test("the request's body is not taken for the next request", arguments: 1...6)
    func bodies(seed: UInt64) throws {
        let stage = try stage(seed)
        let server = ScriptedServer(stage) { .reply($0.target) }
        let smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
        let client = stage.connect()
        client.ask(.post(smuggled, to: "/text"))
        client.ask(
            "POST /none HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "\(String(smuggled.utf8.count, radix: 16))\r\n\(smuggled)\r\n0\r\n\r\n")
        client.ask(.get("/next"))
        stage.run { client.responses.count == 3 }
        #expect(client.responses.map(\.status) == [200, 204, 200], "seed \(seed)")
        #expect(client.responses.last?.text == "/next", "seed \(seed)")
        #expect(server.requests.map(\.target) == ["/next"], "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("a large body is read for a while and thrown away, and the answer arrives", arguments: 1...4)
    func largeBody(seed: UInt64) throws {
        let stage = try stage(seed)
        let server = ScriptedServer(stage) { .reply($0.target) }
        let body = String(repeating: "x", count: 300_000)
        let client = stage.connect()
        client.ask(.post(body, to: "/text"))
        #expect(stage.run { client.responses.count == 1 }, "seed \(seed)")
        #expect(client.responses.first?.status == 200, "seed \(seed)")
        #expect(client.responses.first?["connection"] == "close", "seed \(seed)")
        let modern = stage.answerHTTP2("POST", "/text", body: Array(body.utf8))
        #expect(modern.status == 200 && modern.text == "User-agent: *\n", "seed \(seed)")
        let waiting = stage.connect()
        waiting.ask("POST /none HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        #expect(stage.run { waiting.responses.count == 1 })
        #expect(waiting.responses.first?.status == 204 && waiting.responses.first?.informationalCount == [])
        #expect(server.requests.isEmpty)
        client.leave()
        waiting.leave()
        stage.expectNoLeaks()
    }

    @Test("a body that is too large is 413 before any route")
    func limit() throws {
        let stage = try stage()
        stage.listener.maximumRequestBody = 10
        #expect(stage.answer(.post(String(repeating: "x", count: 11), to: "/none")).status == 413)
    }

    @Test("a route redirects to an origin with the same target, or to a place")
    func routeRedirects() throws {
        let stage = try stage()
        for (target, place) in [
            ("/docs/a?b=1", "https://docs.test:8443/docs/a?b=1"), ("/docs", "https://docs.test:8443/docs"),
            ("/docs//evil.test", "https://docs.test:8443/docs//evil.test"),
            ("/there/x?y", "https://other.test/place?a=1"),
            ("http://h/docs/?c", "https://docs.test:8443/docs/?c"),
        ] {
            let answer = stage.answer("POST \(target) HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}")
            #expect(answer.status == 308 && answer.all("location") == [place], "\(target)")
            #expect(answer["content-length"] == "0")
            guard target.hasPrefix("/") else { continue }
            #expect(stage.answerHTTP2("GET", target)["location"] == place, "\(target)")
        }
        stage.expectNoLeaks()
    }

    // MARK: - Redirects of listeners

    @Test("a listener redirects to the same host and target over https")
    func listenerRedirects() throws {
        for (port, suffix) in [("https:443", ""), ("https:8443", ":8443")] {
            let stage = try stage(listen: "redirect = \"\(port)\"")
            let server = ScriptedServer(stage) { _ in .reply("server") }
            for (host, target, place) in [
                ("mcp.test", "/mcp?a=1", "https://mcp.test\(suffix)/mcp?a=1"),
                ("mcp.test:8080", "/", "https://mcp.test\(suffix)/"),
                ("[2001:db8::1]:80", "/text", "https://[2001:db8::1]\(suffix)/text"),
                ("mcp.test", "//evil.test/", "https://mcp.test\(suffix)//evil.test/"),
                ("x", "http://abs.test:1/y?z", "https://abs.test\(suffix)/y?z"),
                ("x", "http://abs.test?z", "https://abs.test\(suffix)/?z"),
            ] {
                let answer = stage.answer("POST \(target) HTTP/1.1\r\nHost: \(host)\r\nContent-Length: 2\r\n\r\n{}")
                #expect(answer.status == 308 && answer.all("location") == [place])
            }
            #expect(stage.answerHTTP2("GET", "/mcp")["location"] == "https://mcp.test\(suffix)/mcp")
            #expect(stage.answer("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")["location"] == "https://a\(suffix)/")
            #expect(stage.answer("GET /mcp HTTP/1.0\r\n\r\n").status == 421, "there is no host to redirect to")
            #expect(server.requests.isEmpty)
            stage.expectNoLeaks()
        }
    }

    @Test("what came over TLS to a trusted balancer in front is served")
    func behindBalancer() throws {
        let listen = "redirect = \"https\"\ntrusted_proxies = [\"10.0.0.0/8\"]"
        let stage = try stage(listen: listen)
        _ = ScriptedServer(stage) { _ in .reply("server") }
        let balancer = SocketAddress.ipv4(0x0a00_0001, port: 5)
        let secure: String = .get("/mcp", extra: "X-Forwarded-Proto: https\r\n")
        #expect(stage.answer(secure, from: balancer).text == "server")
        #expect(stage.answer(.get("/mcp", extra: "X-Forwarded-Proto: http\r\n"), from: balancer).status == 308)
        #expect(stage.answer(.get("/mcp"), from: balancer).status == 308)
        #expect(stage.answer(secure).status == 308, "anybody can say so")
    }

    // MARK: - Challenges

    private final class Folder {
        let path: String

        init() throws {
            path = FileManager.default.temporaryDirectory.appendingPathComponent("berth-acme-\(UUID())").path
            try FileManager.default.createDirectory(
                atPath: path + "/.well-known/acme-challenge", withIntermediateDirectories: true)
        }

        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private static func files(_ folder: String) -> String {
        "[[route]]\npath = \"/.well-known/acme-challenge/*\"\nfiles = \"\(folder)\"\n[[route]]\nupstream = \"mcp\"\n"
    }

    @Test(
        "challenges of an ACME client are served, from the folder or below its web root, also where all else is redirected"
    )
    func challenges() throws {
        let folder = try Folder()
        try folder.write("token-A_1", "token-A_1.thumb")
        try folder.write(".well-known/acme-challenge/other", "other.thumb")
        let stage = try stage(listen: "redirect = \"https:443\"", Self.files(folder.path))
        let server = ScriptedServer(stage) { _ in .reply("server") }
        let prefix = "/.well-known/acme-challenge/"
        for (name, text) in [("token-A_1", "token-A_1.thumb"), ("other", "other.thumb"), ("other?x=/", "other.thumb")] {
            for answer in [stage.answer(.get(prefix + name)), stage.answerHTTP2("GET", prefix + name)] {
                #expect(answer.status == 200 && answer.text == text)
                #expect(answer["content-type"] == "text/plain")
            }
        }
        let head = stage.answer("HEAD \(prefix)other HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(head.status == 200 && head.body.isEmpty && head["content-length"] == "11")
        let post = stage.answer(.post("{}", to: prefix + "other"))
        #expect(post.status == 405 && post["allow"] == "GET, HEAD")
        #expect(stage.answer(.get("/.well-known/other")).status == 308)
        #expect(server.requests.isEmpty)
        stage.expectNoLeaks()
    }

    @Test("nothing but small regular files with the name of a token is served")
    func hostile() throws {
        let folder = try Folder()
        try folder.write("secret.key", "secret")
        try folder.write("secret", "secret")
        try folder.write("large", String(repeating: "x", count: 65_537))
        try folder.write("largest", String(repeating: "x", count: 65_536))
        try FileManager.default.createDirectory(atPath: folder.path + "/folder", withIntermediateDirectories: true)
        try folder.write("folder/inner", "secret")
        for (link, place) in [("link", "secret"), ("out", "/etc/passwd"), ("up", "..")] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder.path)/\(link)", withDestinationPath: place)
        }
        try #require(mkfifo("\(folder.path)/pipe", 0o600) == 0)
        let stage = try stage(1, Self.files(folder.path))
        let server = ScriptedServer(stage) { _ in .reply("server") }
        let prefix = "/.well-known/acme-challenge/"
        for name in [
            "", "none", "secret.key", "secret/", "folder", "folder/inner", "folder%2Finner", "link", "out", "up",
            "pipe",
            "large", "%2e%2e", "secret%00", "secr\u{65}t%20", "/secret", "//etc/passwd", ".hidden", "~root", "a*",
            "$(x)",
            String(repeating: "a", count: 129), String(repeating: "a", count: 5_000),
        ] {
            let answer = stage.answer(.get(prefix + name))
            let isRefused = name.contains("%2e%2e")
            #expect(answer.status == (isRefused ? 400 : 404), "\(name)")
            #expect(!answer.text.contains("secret") && !answer.text.contains("root"), "\(name)")
            if !isRefused { #expect(answer["content-type"] == "text/plain") }
        }
        #expect(stage.answer(.get("/.well-known/acme-challenge")).status == 404)
        #expect(stage.answer(.get(prefix + "largest")).body.count == 65_536)
        #expect(stage.answer(.get(prefix + "secret")).text == "secret", "the operator has put it there")
        #expect(server.requests.isEmpty)
        stage.expectNoLeaks()
    }
}
