import Foundation
import Testing

extension Conformance {
    /// What is in configs/deploy and configs/systemd, as the tools read it that it is for.
    @Suite("Deployment")
    struct Deployment {
        private static let configs = SDK.package.appending(path: "configs")

        @Test("the manifests are those of Kubernetes, the compose file and each configuration in them are valid")
        func manifests() async throws {
            try await withScratch { folder in
                let words = [BerthProcess.executable.path, Self.configs.appending(path: "deploy").path]
                let checked = try Script("manifests.py", .v1, words, in: folder)

                #expect((try await checked.expectAllRight().right ?? 0) > 30)
            }
        }

        @Test(
            "the Debian package is built, installed, used and removed without a trace",
            .enabled(if: canMount && isInstalled("dpkg-shlibdeps"), "this needs root, and Debian's dpkg-dev"))
        func package() async throws {
            try await withScratch { folder in
                let builder = Self.configs.appending(path: "deploy/debian/build")
                let build = try ChildProcess("build", builder, [BerthProcess.executable.path, folder.path], in: folder)
                try #require(try await build.exitStatus(within: .seconds(240)) == 0, "\(build.lastErrorLines())")
                let file = try #require(build.outputLines().last)

                let trial = try ChildProcess(
                    "trial", URL(filePath: "/usr/bin/unshare"),
                    ["-m", SDK.scripts.appending(path: "package.sh").path, String(file)], in: folder)

                #expect(try await trial.exitStatus(within: .seconds(120)) == 0, "\(trial.lastErrorLines())")
                #expect(trial.outputLines().last == "installed, used and removed")
            }
        }

        @Test(
            "the image has what Berth needs, and serves read-only and as its own user",
            .enabled(if: canMount && isInstalled("strip"), "this needs root, and binutils"))
        func image() async throws {
            try await withScratch { folder in
                let maker = Self.configs.appending(path: "deploy/container/rootfs").path
                let trial = try ChildProcess(
                    "trial", URL(filePath: "/usr/bin/unshare"),
                    ["-m", SDK.scripts.appending(path: "image.sh").path, maker, BerthProcess.executable.path],
                    in: folder)

                #expect(try await trial.exitStatus(within: .seconds(120)) == 0, "\(trial.lastErrorLines())")
                #expect(trial.outputLines().last == "served from a read-only root")
            }
        }

        @Test("systemd knows every line of the service, and finds little that it could do to the machine")
        func service() async throws {
            try await withScratch { folder in
                let unit = Self.configs.appending(path: "systemd/berth.service").path
                let words = ["security", "--offline=true", "--threshold=25", unit]
                let security = try ChildProcess(
                    "security", URL(filePath: "/usr/bin/systemd-analyze"), words, in: folder)
                #expect(
                    try await security.exitStatus(within: .seconds(60)) == 0, "\(security.outputLines().last ?? "")")
                #expect(security.errorLines() == [], "what it does not know it says")
            }
        }

        /// Whether this process may have a mount namespace of its own.
        private static let canMount = geteuid() == 0

        private static func isInstalled(_ program: String) -> Bool {
            FileManager.default.isExecutableFile(atPath: "/usr/bin/\(program)")
        }
    }
}
