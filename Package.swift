// swift-tools-version: 6.2
import PackageDescription

/// What every target of ours is built with: Swift 6, warnings as errors, imports spelled out.
let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
]

/// Modules that never touch a raw pointer: the compiler holds them to it.
let pure: [SwiftSetting] = house + [.strictMemorySafety()]

/// The checks as a library that libFuzzer's main is linked with: only `.ci/fuzz` asks for it.
let fuzzing: [Product] =
    Context.environment["BERTH_FUZZING"] == nil
    ? [] : [.library(name: "FuzzChecks", type: .static, targets: ["FuzzChecks"])]

let package = Package(
    name: "berth",
    products: [
        .executable(name: "berth", targets: ["berth"]),
        .executable(name: "berth-load", targets: ["berth-load"]),
        .executable(name: "berth-fleet", targets: ["berth-fleet"]),
    ] + fuzzing,
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    ],
    targets: [
        // ns_initparse and ns_parserr are in libresolv, a part of glibc.
        .target(name: "CLinux", linkerSettings: [.linkedLibrary("resolv")]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
        .target(name: "ASCII", swiftSettings: house),
        .target(name: "JSON", dependencies: ["ASCII"], swiftSettings: pure),
        .target(name: "Kernel", dependencies: ["CLinux"], swiftSettings: house),
        .target(name: "Reactor", dependencies: ["Kernel"], swiftSettings: house),
        .target(name: "TLSRecords", dependencies: ["COpenSSL", "Reactor"], swiftSettings: house),
        .target(
            name: "TLS", dependencies: ["ASCII", "COpenSSL", "Kernel", "Reactor", "TLSRecords"], swiftSettings: house),
        .target(name: "HTTP", dependencies: ["ASCII", "CNghttp2", "Reactor", "Kernel"], swiftSettings: pure),
        .target(name: "MCP", dependencies: ["ASCII", "JSON"], swiftSettings: pure),
        .target(name: "Balancing", swiftSettings: pure),
        .target(name: "Discovery", dependencies: ["ASCII", "JSON", "Kernel"], swiftSettings: pure),
        .target(name: "Caching", dependencies: ["ASCII", "JSON", "Kernel", "MCP"], swiftSettings: pure),
        .target(name: "RateLimiting", dependencies: ["ASCII", "Kernel"], swiftSettings: house),
        .target(name: "Redis", dependencies: ["ASCII", "Kernel"], swiftSettings: pure),
        .target(
            name: "Tokens",
            dependencies: [
                "ASCII", "JSON", .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: pure),
        .target(name: "Configuration", dependencies: ["TOMLKit"], swiftSettings: house),
        .target(name: "Import", dependencies: ["Configuration"], swiftSettings: pure),
        .target(name: "Telemetry", dependencies: ["ASCII", "JSON", "Kernel", "MCP"], swiftSettings: house),
        .target(
            name: "Proxy",
            dependencies: [
                "ASCII", "JSON", "Kernel", "Reactor", "TLS", "HTTP", "MCP", "Balancing", "Caching", "Configuration",
                "Discovery", "RateLimiting", "Redis", "Telemetry", "Tokens",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .target(
            name: "DashboardPage", dependencies: ["COpenSSL"],
            resources: [
                "page.html", "style.css", "format.js", "dom.js", "history.js", "receive.js", "overview.js",
                "servers.js", "server.js", "tools.js", "calls.js", "sessions.js", "setup.js", "changes.js",
                "configuration.js", "start.js",
            ].map { .embedInCode("Page/\($0)") },
            swiftSettings: house),
        .target(
            name: "Admin",
            dependencies: [
                "ASCII", "Proxy", "DashboardPage", "Balancing", "Configuration", "Discovery", "MCP", "Redis",
                "Telemetry", "Kernel", "CISAL",
            ],
            swiftSettings: house),
        .target(
            name: "SampleServer", dependencies: ["ASCII", "JSON", "Kernel", "Reactor", "HTTP"], swiftSettings: house),
        .target(
            name: "Prove", dependencies: ["Load", "LoadReport", "SampleServer", "TLS", "Kernel"], swiftSettings: house),
        .executableTarget(
            name: "berth",
            dependencies: [
                "Admin", "ASCII", "Import", "Proxy", "Prove", "Load", "LoadReport", "Configuration", "Discovery",
                "SampleServer", "TLS", "HTTP", "Telemetry", "Reactor", "Kernel",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .target(
            name: "Load",
            dependencies: [
                "ASCII", "JSON", "Kernel", "Reactor", "TLS", "HTTP",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: house),
        .target(
            name: "LoadReport",
            dependencies: ["Load", .product(name: "Histogram", package: "hdrhistogram-swift")],
            swiftSettings: house),
        .executableTarget(
            name: "berth-load",
            dependencies: [
                "Load", "LoadReport", "Configuration", "SampleServer", "TLS", "HTTP", "Reactor", "Kernel",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: house),
        .target(name: "FleetSimulation", dependencies: ["Balancing"], swiftSettings: pure),
        .executableTarget(
            name: "berth-fleet",
            dependencies: [
                "FleetSimulation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: house),
        .target(name: "CSpawn", path: "Tests/CSpawn"),
        .target(
            name: "TestSupport", dependencies: ["CSpawn", "Kernel", "CNghttp2"], path: "Tests/TestSupport",
            swiftSettings: house),
        .target(
            name: "Simulation", dependencies: ["TestSupport", "Kernel", "Reactor", "TLS", "COpenSSL"],
            path: "Tests/Simulation",
            swiftSettings: house + [.unsafeFlags(["-O", "-assert-config", "Debug"])]),
        .testTarget(
            name: "CachingTests", dependencies: ["TestSupport", "Caching", "MCP", "Kernel"], swiftSettings: house),
        .target(
            name: "TestIssuer",
            dependencies: [
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            path: "Tests/TestIssuer", swiftSettings: house),
        .testTarget(
            name: "TokensTests",
            dependencies: ["TestIssuer", "Tokens"],
            swiftSettings: house),
        .testTarget(
            name: "RateLimitingTests", dependencies: ["TestSupport", "RateLimiting", "Kernel"], swiftSettings: house),
        .testTarget(name: "RedisTests", dependencies: ["TestSupport", "Redis", "Kernel"], swiftSettings: house),
        .testTarget(
            name: "FleetSimulationTests", dependencies: ["FleetSimulation", "Balancing"], swiftSettings: house),
        .testTarget(name: "ASCIITests", dependencies: ["ASCII"], swiftSettings: house),
        .testTarget(name: "JSONTests", dependencies: ["TestSupport", "JSON"], swiftSettings: house),
        .testTarget(
            name: "SimulationTests", dependencies: ["TestSupport", "Simulation", "Kernel", "TLS", "CLinux"],
            swiftSettings: house),
        .testTarget(name: "KernelTests", dependencies: ["Kernel", "CLinux"], swiftSettings: house),
        .testTarget(
            name: "ReactorTests", dependencies: ["TestSupport", "Reactor", "Kernel", "Simulation"], swiftSettings: house
        ),
        .testTarget(
            name: "HTTPTests", dependencies: ["TestSupport", "HTTP", "CNghttp2", "Reactor", "Kernel"],
            swiftSettings: house),
        .testTarget(
            name: "TLSTests", dependencies: ["TestSupport", "TLS", "TLSRecords", "Reactor", "COpenSSL"],
            swiftSettings: house),
        .testTarget(
            name: "SampleServerTests", dependencies: ["TestSupport", "SampleServer", "Kernel"], swiftSettings: house),
        .testTarget(
            name: "ProveTests", dependencies: ["TestSupport", "berth", "Prove", "Load", "LoadReport", "Kernel"],
            swiftSettings: house),
        .testTarget(
            name: "DemoTests", dependencies: ["TestSupport", "berth", "Prove", "LoadReport"], swiftSettings: house),
        .testTarget(
            name: "SocketTests",
            dependencies: [
                "TestSupport", "TestIssuer", "berth", "Admin", "Proxy", "Caching", "TLS", "HTTP", "MCP",
                "Configuration",
                "Redis", "Telemetry", "Tokens", "Reactor", "Kernel",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "TelemetryTests", dependencies: ["TestSupport", "Telemetry", "MCP", "Kernel"], swiftSettings: house),
        .testTarget(
            name: "AdminTests",
            dependencies: [
                "TestSupport", "Admin", "DashboardPage", "Proxy", "Configuration", "Discovery", "Telemetry", "MCP",
                "Kernel",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .testTarget(name: "MCPTests", dependencies: ["TestSupport", "MCP"], swiftSettings: house),
        .testTarget(
            name: "ProxyTests",
            dependencies: [
                "TestSupport", "TestIssuer", "Proxy", "Simulation", "Kernel", "Reactor", "HTTP", "MCP", "Balancing",
                "Caching", "Configuration", "Discovery", "RateLimiting", "Redis", "Telemetry", "TLS", "Tokens",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "LoadTests",
            dependencies: [
                "TestSupport", "berth-load", "Load", "SampleServer", "Proxy", "Configuration", "Discovery", "Telemetry",
                "TLS", "HTTP", "Reactor", "Kernel",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "LoadReportTests",
            dependencies: ["TestSupport", "berth-load", "LoadReport", "Load", "Configuration"],
            swiftSettings: house),
        .testTarget(
            name: "DiscoveryTests", dependencies: ["TestSupport", "Discovery", "Kernel"], swiftSettings: house),
        .testTarget(name: "BalancingTests", dependencies: ["TestSupport", "Balancing"], swiftSettings: house),
        .testTarget(
            name: "ConfigurationTests", dependencies: ["TestSupport", "Configuration"], exclude: ["broken"],
            swiftSettings: house),
        .testTarget(
            name: "ImportTests",
            dependencies: [
                "TestSupport", "Import", "Configuration", "Load", "SampleServer", "Proxy", "TLS", "Kernel",
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["nginx", "haproxy"], swiftSettings: house),
        .target(
            name: "FuzzChecks",
            dependencies: [
                "JSON", "MCP", "HTTP", "Redis", "Discovery", "Configuration", "Import", "Kernel", "Reactor",
            ],
            path: "Tests/Fuzzing/Checks", swiftSettings: house),
        .testTarget(
            name: "FuzzingTests", dependencies: ["TestSupport", "FuzzChecks", "HTTP", "JSON", "MCP", "Reactor"],
            exclude: ["parsers"], swiftSettings: house),
        // They read the whole tree, which takes half a minute of a processor without optimisation.
        .testTarget(
            name: "TidyTests", swiftSettings: house + [.unsafeFlags(["-O", "-assert-config", "Debug"])]),
        .testTarget(
            name: "DashboardTests", dependencies: ["TestSupport", "berth"], exclude: ["browser"], swiftSettings: house),
        .testTarget(
            name: "ConformanceTests", dependencies: ["TestSupport"], exclude: ["sdk"], swiftSettings: house),
    ]
)
