/// One `[[route]]`: what becomes of the requests that it matches.
package struct RouteConfiguration: Sendable, Equatable {
    /// In lower case, without a port; nil matches every host.
    package var host: String?
    /// The paths it matches.
    package var path: PathPattern
    /// What becomes of the requests.
    package var destination: RouteDestination
    /// `Mcp-Method`, `Mcp-Name` and `MCP-Protocol-Version` are compared with the message.
    package var checksHeaders: Bool
    /// The beginning of every path that the route matches, which servers do not get: begins with a slash and does not end
    /// with one. Nil: servers get the path as it came.
    package var strippedPrefix: String?
    /// What is changed in the header fields of responses.
    package var responseFields = ResponseFieldsConfiguration()
    /// Whose requests are served.
    package var access = AccessConfiguration()
    /// Who may send requests; nil: everybody.
    package var auth: AuthConfiguration?
    /// How many requests there may be.
    package var rateLimits: [RateLimitConfiguration] = []
    /// How often each client may open an event stream; nil: as often as it likes.
    package var streamOpens: RateText?
    /// Origins whose pages may send requests (RFC 6454 section 6.2), at most 100; nil: nobody is asked.
    package var origins: [String]?
    /// Bytes of a response that is no event stream, 1 KiB...1 TiB; nil: any.
    package var responseLimit: Int?
    /// Pages of which origins may read responses; nil: servers say that.
    package var crossOrigins: CrossOriginConfiguration?

    package init(host: String?, path: PathPattern, upstream: Int, checksHeaders: Bool = false) {
        self.host = host
        self.path = path
        self.checksHeaders = checksHeaders
        destination = .upstream(upstream)
    }

    /// Index into `Configuration.upstreams`; nil: Berth answers itself. Not inlined, because the optimizer of Swift 6.3.1 crashes
    /// where it is ("Found ownership error").
    @inline(never)
    package var upstream: Int? { if case .upstream(let index) = destination { index } else { nil } }
}

/// Matches the path of a request target, without its query, byte for byte.
package enum PathPattern: Sendable, Equatable {
    /// Every path: not given, or "/*".
    case any
    /// "/mcp": that path and "/mcp/". Stored without the trailing slash, except for "/" itself.
    case exact(String)
    /// "/mcp/*": "/mcp", "/mcp/" and all paths below. Stored as "/mcp".
    case prefix(String)

    /// The pattern as a file has it.
    package var text: String {
        switch self {
        case .any: "/*"
        case .exact(let path): path
        case .prefix(let path): "\(path)/*"
        }
    }
}

/// What becomes of the requests of a route.
package enum RouteDestination: Sendable, Equatable {
    /// Index into `Configuration.upstreams`.
    case upstream(Int)
    /// Always the same answer.
    case respond(FixedResponseConfiguration)
    /// 308 to another place.
    case redirect(RedirectConfiguration)
    /// Challenges of an ACME client (RFC 8555 section 8.3), which stand in this folder.
    case files(String)
}

/// An answer that the configuration gives.
package struct FixedResponseConfiguration: Sendable, Equatable {
    /// 200...599, but none that goes with a body or a field that it has not.
    package var status: Int
    /// Empty: there is none.
    package var body = ""
    /// Of the body.
    package var contentType = Self.defaultContentType

    package init(status: Int) {
        self.status = status
    }

    static let defaultContentType = "text/plain; charset=utf-8"
}

/// Where a redirect leads.
package struct RedirectConfiguration: Sendable, Equatable {
    /// An absolute URL (RFC 3986), of visible ASCII.
    package var url: String
    /// The URL is an origin alone: the request's path and query are put behind it.
    package var keepsTarget: Bool

    package init(url: String, keepsTarget: Bool) {
        self.url = url
        self.keepsTarget = keepsTarget
    }
}
