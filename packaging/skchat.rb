# A template of a Homebrew formula. A release fills in the address of its source archive and the checksum of it:
# shasum -a 256 ARCHIVE.
class Skchat < Formula
  desc "Terminal chat client for Skype's HTTP chat protocol"
  url "SOURCE_ARCHIVE"
  sha256 "CHECKSUM"
  license all_of: ["MPL-2.0", { any_of: ["MIT", "Apache-2.0"] }]

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args
    generate_completions_from_executable(bin/"skchat", "completions")
    (man1/"skchat.1").write Utils.safe_popen_read(bin/"skchat", "man")
    doc.install "config.example.toml"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/skchat --version")
  end
end
