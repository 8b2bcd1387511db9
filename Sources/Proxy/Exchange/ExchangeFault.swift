import HTTP
import MCP
import Telemetry

/// Why the proxy answers itself: what the client is told, and what is counted.
enum ExchangeFault: UInt8, CaseIterable {
    case noRoute, noRouteForSession, unknownHost
    case noServerAvailable, queueFull, queueTimeout, tooManyStreams
    case connectFailed, serverReset, serverDown, badServerResponse, firstByteTimeout
    case sessionNotFound, legacySessionNotFound, sessionServerUnavailable, sessionTableFull, messageForLostServer
    case malformed, requestTooLarge, bodyTimeout
    case shuttingDown
    case sessionsFull
    case headerMismatch, tooLargeToCheck
    case ambiguousMessage, unreadableMessage
    case addressDenied, noChallenge, challengeMethod
    case tokenMissing, tokenInvalid, insufficientScope, tokenNotVerified, unreadableForPolicy
    case toolListUnreadable
    case rateLimited, concurrencyLimited, streamOpensLimited
    case originDenied, responseTooLarge, memoryShort
    // Of requests that become no exchange.
    case plainHTTP, headTimeout, targetTooLong, headTooLarge, methodNotAllowed
    case expectationFailed, codingUnsupported, versionUnsupported

    var response: ErrorResponse {
        switch self {
        case .noRoute: .noRoute
        case .noRouteForSession: .noRouteForSession
        case .unknownHost: .unknownHost
        case .noServerAvailable: .noServerAvailable
        case .queueFull: .queueFull
        case .queueTimeout: .queueTimeout
        case .tooManyStreams: .tooManyStreams
        case .connectFailed: .connectFailed
        case .serverReset: .serverReset
        case .serverDown: .serverDown
        case .badServerResponse: .badServerResponse
        case .firstByteTimeout: .firstByteTimeout
        case .sessionNotFound: .sessionNotFound
        case .legacySessionNotFound: .legacySessionNotFound
        case .sessionServerUnavailable: .sessionServerUnavailable
        case .sessionTableFull: .sessionTableFull
        case .messageForLostServer: .messageForLostServer
        case .sessionsFull: .sessionsFull
        case .malformed: .malformed
        case .requestTooLarge: .requestTooLarge
        case .bodyTimeout: .bodyTimeout
        case .shuttingDown: .shuttingDown
        case .headerMismatch: .headerMismatch
        case .tooLargeToCheck: .tooLargeToCheck
        case .ambiguousMessage: .ambiguousMessage
        case .unreadableMessage: .unreadableMessage
        case .addressDenied: .addressDenied
        case .noChallenge: .noChallenge
        case .challengeMethod: .challengeMethod
        case .rateLimited: .rateLimited
        case .concurrencyLimited: .concurrencyLimited
        case .streamOpensLimited: .streamOpensLimited
        case .originDenied: .originDenied
        case .responseTooLarge: .responseTooLarge
        case .memoryShort: .memoryShort
        case .tokenMissing: .tokenMissing
        case .tokenInvalid: .tokenInvalid
        case .insufficientScope: .insufficientScope
        case .tokenNotVerified: .tokenNotVerified
        case .unreadableForPolicy: .unreadableForPolicy
        case .toolListUnreadable: .toolListUnreadable
        case .plainHTTP: .plainHTTP
        case .headTimeout: .headTimeout
        case .targetTooLong: .targetTooLong
        case .headTooLarge: .headTooLarge
        case .methodNotAllowed: .methodNotAllowed
        case .expectationFailed: .expectationFailed
        case .codingUnsupported: .codingUnsupported
        case .versionUnsupported: .versionUnsupported
        }
    }

    /// What is wrong with a request that could not be parsed.
    init(_ error: HTTPParseError) {
        self =
            switch error {
            case .malformed: .malformed
            case .targetTooLong: .targetTooLong
            case .headTooLarge: .headTooLarge
            case .bodyTooLarge: .requestTooLarge
            case .codingUnsupported: .codingUnsupported
            case .versionUnsupported: .versionUnsupported
            case .expectationFailed: .expectationFailed
            case .methodUnsupported: .methodNotAllowed
            }
    }

    /// What counts it at the server, if one was selected; nil for faults of clients.
    var metric: ServerMetric? {
        switch self {
        case .noServerAvailable, .queueFull, .queueTimeout, .tooManyStreams, .sessionServerUnavailable,
            .sessionTableFull, .shuttingDown, .sessionsFull, .memoryShort, .tokenNotVerified:
            .unavailable
        case .connectFailed, .serverReset, .serverDown, .badServerResponse, .responseTooLarge,
            .toolListUnreadable:
            .badGateway
        case .firstByteTimeout: .timedOut
        case .sessionNotFound, .legacySessionNotFound: .sessionsNotFound
        case .noRoute, .noRouteForSession, .unknownHost, .messageForLostServer, .malformed, .requestTooLarge,
            .bodyTimeout, .headerMismatch, .tooLargeToCheck, .ambiguousMessage, .unreadableMessage, .addressDenied,
            .noChallenge, .challengeMethod, .rateLimited, .concurrencyLimited, .streamOpensLimited, .originDenied,
            .tokenMissing, .tokenInvalid, .insufficientScope, .unreadableForPolicy, .plainHTTP, .headTimeout,
            .targetTooLong, .headTooLarge, .methodNotAllowed, .expectationFailed, .codingUnsupported,
            .versionUnsupported:
            nil
        }
    }
}
