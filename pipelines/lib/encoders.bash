# gst-tsrec: selects the encoders and decoders of this machine; sourced by record
#
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# An installed element may not work (for example, an encoder of a missing graphics
# card), so each is tested with three pictures. The qualities are GstPresets in
# presets/; elements without a preset get their bit rate here.

export GST_PRESET_PATH=$top/pipelines/lib/presets

# video_bitrate QUALITY: prints the bit rate in kbit/s
video_bitrate() {
  case $1 in low) echo 1000 ;; medium) echo 2000 ;; high) echo 4000 ;; esac
}

# encoder_settings ELEMENT QUALITY: prints the element with its properties
encoder_settings() {
  local kbits
  kbits=$(video_bitrate "$2")
  case $1 in
    x264enc | x265enc | openh264enc | avenc_aac | voaacenc) echo "$1 @preset=tsrec-$2" ;;
    vah264enc | vah265enc) echo "$1 bitrate=$kbits rate-control=cbr key-int-max=60 b-frames=0" ;;
    vaapih264enc | vaapih265enc) echo "$1 bitrate=$kbits rate-control=cbr keyframe-period=60 max-bframes=0" ;;
    nvh264enc | nvh265enc) echo "$1 bitrate=$kbits rc-mode=cbr gop-size=60 bframes=0 zerolatency=true" ;;
    v4l2h264enc | v4l2h265enc) echo "$1 extra-controls=controls,video_bitrate=$((kbits * 1000))" ;;
    *) echo "$1" ;;
  esac
}

# video_format ENCODER: prints caps for 4:2:0, which every browser and every hardware
# decoder can play, in the memory layout that the encoder accepts
video_format() {
  case $1 in
    x264enc* | x265enc* | openh264enc*) echo video/x-raw,format=I420 ;;
    *) echo video/x-raw,format=NV12 ;;
  esac
}

# try_out DESCRIPTION: sends three pictures through an encoder. If they do not arrive,
# prints the reason and returns false
try_out() {
  local output status
  # shellcheck disable=SC2086 # several words of the launch line
  output=$(timeout 20 gst-launch-1.0 -q videotestsrc num-buffers=3 ! \
    video/x-raw,width=320,height=240,framerate=30/1 ! videoconvert ! $(video_format "$1") ! $1 ! fakesink \
    2>&1 </dev/null)
  status=$?
  [ $status -ne 0 ] || return 0
  [ $status -ne 124 ] || output="ERROR: no output for 20 s"
  output=$(grep -m 1 -E '^(ERROR|WARNING): ' <<<"$output")
  output=${output#*: }
  echo "${output:-gst-launch-1.0 ended with status $status}"
  return 1
}

# encoders_of h264|h265: prints the names of encoders, hardware first
encoders_of() {
  echo "va$1enc vaapi$1enc nv$1enc v4l2$1enc"
  case $1 in h264) echo x264enc openh264enc ;; h265) echo x265enc ;; esac
}

# video_encoder h264|h265 QUALITY: prints the first encoder that works, with its
# properties. Warns about each installed encoder that does not work
video_encoder() {
  local name settings why
  for name in $(encoders_of "$1"); do
    first_element "$name" >/dev/null || continue
    settings=$(encoder_settings "$name" "$2")
    if why=$(try_out "$settings"); then
      echo "$settings"
      return 0
    fi
    echo "Video: $name does not work here, trying the next encoder ($why)" >&2
  done
  return 1
}

# aac_encoder QUALITY: prints an AAC encoder with its properties
aac_encoder() {
  local name
  name=$(first_element avenc_aac voaacenc) || return 1
  encoder_settings "$name" "$1"
}

decoders_of() {
  case $1 in
    h264) echo avdec_h264 openh264dec ;;
    h265) echo avdec_h265 libde265dec ;;
    vp8) echo vp8dec avdec_vp8 ;;
    vp9) echo vp9dec avdec_vp9 ;;
    av1) echo dav1ddec av1dec ;;
  esac
}

# video_decoder CODEC: prints the elements that decode this codec
video_decoder() {
  local name
  # shellcheck disable=SC2046 # several names
  name=$(first_element $(decoders_of "$1")) || return 1
  case $1 in h26*) echo "$1parse ! $name" ;; *) echo "$name" ;; esac
}

# missing_element CODEC copied|encoded: prints the missing element that is needed to
# receive the codec, or (encoded) to decode it; prints nothing if all are installed
missing_element() {
  local names
  if ! first_element "rtp$1depay" >/dev/null; then
    echo "rtp$1depay"
  elif [ "$2" = encoded ] && ! video_decoder "$1" >/dev/null; then
    names=$(decoders_of "$1")
    echo "${names%% *}"
  fi
}

# package_of ELEMENT: prints the Debian package of the element
package_of() {
  case $1 in
    rtpav1depay | rtpav1pay) echo "gst-plugins-rs, which Debian 12 does not have" ;;
    x264enc) echo gstreamer1.0-plugins-ugly ;;
    avenc_* | avdec_*) echo gstreamer1.0-libav ;;
    vaapi*) echo gstreamer1.0-vaapi ;;
    nice*) echo gstreamer1.0-nice ;;
    opusdec | opusenc) echo gstreamer1.0-plugins-base ;;
    mp4mux | matroskamux | vp8dec | vp9dec | rtp* | v4l2* | aacparse) echo gstreamer1.0-plugins-good ;;
    *) echo gstreamer1.0-plugins-bad ;;
  esac
}

# encoder_packages h264|h265|aac: prints the Debian packages of software encoders
encoder_packages() {
  case $1 in
    h264) echo "$(package_of x264enc) (x264enc) or $(package_of openh264enc) (openh264enc)" ;;
    h265) echo "$(package_of x265enc) (x265enc)" ;;
    aac) echo "$(package_of avenc_aac) (avenc_aac)" ;;
  esac
}

# need_element WHY NAME: exits with a message if the element is not installed
need_element() {
  first_element "$2" >/dev/null ||
    fail "$1: there is no element $2 here; install $(package_of "$2")"
}
