import MCP
import Telemetry

/// Why the proxy answers an exchange itself: what the client is told, and what is counted.
enum ExchangeFault: UInt8, CaseIterable {
    case noRoute, noRouteForSession, unknownHost
    case noServerAvailable, queueFull, queueTimeout, tooManyStreams
    case connectFailed, serverReset, badServerResponse, firstByteTimeout
    case sessionNotFound, legacySessionNotFound
    case malformedBody, requestTooLarge, bodyTimeout

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
        case .badServerResponse: .badServerResponse
        case .firstByteTimeout: .firstByteTimeout
        case .sessionNotFound: .sessionNotFound
        case .legacySessionNotFound: .legacySessionNotFound
        case .malformedBody: .malformed
        case .requestTooLarge: .requestTooLarge
        case .bodyTimeout: .bodyTimeout
        }
    }

    /// What counts it at the server; nil for faults of clients.
    var metric: ServerMetric? {
        switch self {
        case .noServerAvailable, .queueFull, .queueTimeout, .tooManyStreams: .unavailable
        case .connectFailed, .serverReset, .badServerResponse: .badGateway
        case .firstByteTimeout: .timedOut
        case .sessionNotFound, .legacySessionNotFound: .sessionsNotFound
        case .noRoute, .noRouteForSession, .unknownHost, .malformedBody, .requestTooLarge, .bodyTimeout: nil
        }
    }
}
